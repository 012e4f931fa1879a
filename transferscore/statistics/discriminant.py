"""Linear discriminants: class posteriors under Gaussians of one shared covariance."""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import LinAlgError, cho_factor, cho_solve

__all__ = ["Discriminant", "discriminant", "positive_definite", "shrunk", "softmax"]

_JITTER = (1e-12, 1e-10, 1e-8, 1e-6)


@dataclass(frozen=True, slots=True)
class Discriminant:
    """Linear scores of p-dimensional rows for K classes.

    Attributes:
        coefficients: `(p, K)`.
        intercepts: `(K,)`, minus infinity for a class of no weight.
    """

    coefficients: NDArray[np.float64]
    intercepts: NDArray[np.float64]

    def posteriors(self, rows: NDArray[np.float64]) -> NDArray[np.float64]:
        """Class probabilities `(n, K)` of rows `(n, p)`."""
        scores = rows @ self.coefficients
        scores += self.intercepts
        return softmax(scores)


def discriminant(
    means: NDArray[np.float64],
    covariance: NDArray[np.float64],
    weights: NDArray[np.float64],
    scale: float,
) -> Discriminant:
    """The discriminant of class means under one covariance.

    Args:
        means: `(K, p)`, finite also for classes of no weight.
        covariance: `(p, p)` within classes, symmetric.
        weights: `(K,)` class weights, such as counts; a class of weight 0 has no posterior.
        scale: Mean variance of the rows as a whole, to tell a covariance that is rounding noise.

    Returns:
        Its posteriors are the class weights alone where the rows do not vary.
    """
    coefficients = np.zeros(means.T.shape)
    if scale > 0.0:
        factor = positive_definite(covariance, scale)[1]
        coefficients = cho_solve(factor, means.T, check_finite=False)
    with np.errstate(divide="ignore"):
        log_priors = np.log(weights / weights.sum())
    intercepts = log_priors - 0.5 * np.einsum("kp,pk->k", means, coefficients)
    return Discriminant(coefficients, intercepts)


def shrunk(
    covariance: NDArray[np.float64], shrinkage: float, n_features: int
) -> NDArray[np.float64]:
    """(1 - a) S + a (tr S / d) I, of S given in coordinates `(p, p)` of d-dimensional features."""
    result: NDArray[np.float64] = (1.0 - shrinkage) * covariance
    result.flat[:: len(covariance) + 1] += shrinkage * np.trace(covariance) / n_features
    return result


def softmax(scores: NDArray[np.float64]) -> NDArray[np.float64]:
    """Rows `(n, K)` of numbers as probabilities, in place."""
    scores -= scores.max(axis=1, keepdims=True)
    np.exp(scores, out=scores)
    scores /= scores.sum(axis=1, keepdims=True)
    return scores


def positive_definite(
    covariance: NDArray[np.float64], scale: float
) -> tuple[NDArray[np.float64], tuple[NDArray[np.float64], bool]]:
    """The covariance and its Cholesky factor, with a stated variance added where it is singular.

    Args:
        covariance: `(p, p)`, symmetric.
        scale: Mean variance of the rows as a whole; positive.
    """
    for share in (0.0, *_JITTER):
        raised = covariance + share * scale * np.eye(len(covariance)) if share > 0.0 else covariance
        try:
            factor = cho_factor(raised, lower=True, check_finite=False)
        except LinAlgError:
            # Rows that do not vary within their classes leave rounding noise, of either sign.
            continue
        if share > 0.0:
            _warn_of_jitter(share, scale)
        return raised, factor
    raise LinAlgError("The within-class covariance is not positive: it is no covariance.")


def _warn_of_jitter(share: float, scale: float) -> None:
    warnings.warn(
        "The features do not vary within the classes along some direction. A variance of "
        f"{share * scale:.3g} was added along each, {share:g} of their mean variance.",
        RuntimeWarning,
        stacklevel=5,
    )
