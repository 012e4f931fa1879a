"""Multinomial logistic regression in the coordinates of the shared spectrum, where it is quick.

On orthonormal left singular vectors the curvature of the loss is about the same in every direction
and a penalty on the weights is diagonal, so that rescaling each coordinate by what both add up to
lets a quasi-Newton method converge in some tens of steps whatever the features' spectrum.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["LogisticFit", "fit_logistic", "log_probabilities"]

_Matrix = NDArray[np.float64]

_MAX_STEPS = 500


@dataclass(frozen=True, slots=True)
class LogisticFit:
    """A classifier with logits u W + b of left singular vectors u.

    Attributes:
        weights: W `(r, K)`.
        bias: b `(K,)`.
        converged: Whether the gradient came below the tolerance.
    """

    weights: _Matrix
    bias: NDArray[np.float64]
    converged: bool = True


def fit_logistic(
    left: NDArray[Any],
    codes: NDArray[np.int64],
    penalties: NDArray[np.float64],
    start: LogisticFit,
    *,
    tolerance: float = 1e-3,
) -> LogisticFit:
    """Minimise the sum of cross-entropies plus half the penalised squares of the weights.

    Args:
        left: Rows of left singular vectors `(n, r)`; products are taken in their precision.
        codes: Class of each row `(n,)`, in [0, K).
        penalties: `(r,)`, of the squares of each row of the weights; the bias has none.
        start: Where to begin.
        tolerance: Of the largest entry of the gradient, in units of the square root of n.
    """
    # Late, because scores without a fit need not pay for loading it.
    from scipy.optimize import minimize

    loss = _Loss(left, codes, penalties, len(start.bias))
    found = minimize(
        loss,
        loss.scaled(start),
        jac=True,
        method="L-BFGS-B",
        options={
            "maxiter": _MAX_STEPS,
            "maxcor": 20,
            "ftol": 0.0,
            "gtol": tolerance * np.sqrt(len(left)),
        },
    )
    weights, bias = loss.unscaled(found.x)
    return LogisticFit(weights, bias, converged=bool(found.status == 0))


def log_probabilities(left: NDArray[Any], fit: LogisticFit) -> _Matrix:
    """Log probability of each class for rows of left singular vectors `(n, K)`."""
    logits: _Matrix = (left @ fit.weights.astype(left.dtype)).astype(np.float64) + fit.bias
    logits -= logits.max(axis=1, keepdims=True)
    logits -= np.log(np.exp(logits).sum(axis=1, keepdims=True))
    return logits


class _Loss:
    """The penalised loss and its gradient, as functions of rescaled weights in one vector."""

    def __init__(
        self,
        left: NDArray[Any],
        codes: NDArray[np.int64],
        penalties: NDArray[np.float64],
        n_classes: int,
    ) -> None:
        self.left, self.codes, self.penalties = left, codes, penalties[:, None]
        self.shape = (left.shape[1] + 1, n_classes)
        # The bias stands last, on a unit vector as the left singular vectors are.
        self.unit = 1.0 / np.sqrt(len(left))
        curvature = (n_classes - 1) / n_classes**2
        self.scale = 1.0 / np.sqrt(curvature + np.append(penalties, 0.0))[:, None]

    def __call__(self, scaled: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        weights, bias = self.unscaled(scaled)
        loss, residuals = self._residuals(weights, bias)
        gradient = np.empty(self.shape)
        gradient[:-1] = self.left.T @ residuals
        gradient[:-1] += self.penalties * weights
        gradient[-1] = residuals.sum(axis=0, dtype=np.float64) * self.unit
        gradient *= self.scale
        return loss + 0.5 * float(np.sum(self.penalties * weights**2)), gradient.ravel()

    def scaled(self, fit: LogisticFit) -> NDArray[np.float64]:
        vector: NDArray[np.float64] = np.vstack([fit.weights, fit.bias / self.unit]) / self.scale
        return vector.ravel()

    def unscaled(self, scaled: NDArray[np.float64]) -> tuple[_Matrix, NDArray[np.float64]]:
        both = scaled.reshape(self.shape) * self.scale
        return both[:-1], both[-1] * self.unit

    def _residuals(self, weights: _Matrix, bias: NDArray[np.float64]) -> tuple[float, NDArray[Any]]:
        """The loss, and predicted probabilities less the 0/1 indicators `(n, K)`."""
        rows, precision = np.arange(len(self.left)), self.left.dtype
        logits = self.left @ weights.astype(precision)
        logits += bias.astype(precision)
        logits -= logits.max(axis=1, keepdims=True)
        own = logits[rows, self.codes].sum(dtype=np.float64)
        np.exp(logits, out=logits)
        sums = logits.sum(axis=1, keepdims=True)
        logits /= sums
        logits[rows, self.codes] -= 1.0
        return float(np.log(sums).sum(dtype=np.float64) - own), logits
