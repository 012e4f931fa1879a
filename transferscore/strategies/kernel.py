"""Kernels of features, and held-out predictions of ridge regression in closed form."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from transferscore.datasets import Dataset

__all__ = [
    "KernelFit",
    "best_mixture",
    "feature_kernel",
    "feature_scale",
    "gram",
    "leave_one_out",
    "split_losses",
    "subset_losses",
    "targets_of",
    "unit_kernel",
]

_Matrix = NDArray[np.float64]

# In units of the kernel's mean variance per row.
PENALTIES: NDArray[np.float64] = np.logspace(-4.0, 1.0, 11)
_SHARES = (0.0, 0.25, 0.5, 0.75, 0.9, 1.0)
_REPEATS = 4
_FLOOR = 1e-2


@dataclass(frozen=True, slots=True)
class KernelFit:
    """The mixture of features and tangents that predicts rows best which it has not seen.

    Attributes:
        losses: `(n,)` leave-one-out: 0 or 1 for classes, squared error in units of variance else;
            of the rows asked for.
        error: Leave-one-out squared error of these, by which the mixture was chosen.
        share: Weight of the tangent kernel; the feature kernel has the rest.
        penalty: Ridge penalty, in units of the kernel's mean variance.
        kernel: `(n, n)` the mixture.
    """

    losses: NDArray[np.float64]
    error: float
    share: float
    penalty: float
    kernel: _Matrix

    @property
    def value(self) -> float:
        """Accuracy, or R^2."""
        return float(1.0 - self.losses.mean())


def gram(rows: NDArray[Any]) -> _Matrix:
    """Inner products `(n, n)` of rows `(n, ...)`, in double precision."""
    flat = rows.reshape(len(rows), -1).astype(np.float64)
    products: _Matrix = flat @ flat.T
    return products


def targets_of(dataset: Dataset) -> _Matrix:
    """Indicators of classes `(n, K)`, or standardised real values `(n, m)`."""
    if dataset.n_classes:
        indicators: _Matrix = np.eye(dataset.n_classes)[dataset.labels]
        return indicators
    values = np.asarray(dataset.labels, dtype=np.float64).reshape(len(dataset), -1)
    standard: _Matrix = (values - values.mean(axis=0)) / (values.std(axis=0) + 1e-300)
    return standard


def feature_kernel(features: NDArray[Any]) -> _Matrix:
    """Unit kernel `(n, n)` of standardised features `(n, d)`."""
    return unit_kernel(gram(features / feature_scale(features)))


def feature_scale(features: NDArray[Any]) -> NDArray[np.float64]:
    """Spread `(d,)` of each feature; hardly varying ones count as a hundredth of the typical one.

    A feature that hardly varies on these rows would otherwise be blown up on others.
    """
    spread = features.astype(np.float64).std(axis=0)
    floor = _FLOOR * np.sqrt(np.mean(spread**2)) or 1.0
    scale: NDArray[np.float64] = np.maximum(spread, floor)
    return scale


def unit_kernel(kernel: _Matrix) -> _Matrix:
    """A kernel with its rows and columns centred, and a mean variance of one.

    Centring by all rows gives nothing away as long as `leave_one_out` counts the intercept among
    what each left-out row loses; it is the intercept that centring stands for.
    """
    means = kernel.mean(axis=0)
    centred: _Matrix = kernel - means - means[:, None] + means.mean()
    variance = float(np.trace(centred)) / len(kernel)
    return centred / variance if variance > 0.0 else centred


def best_mixture(
    features: _Matrix,
    tangents: _Matrix | None,
    targets: _Matrix,
    among: NDArray[np.int64] | None = None,
) -> KernelFit:
    """The share of tangents and the penalty with the least leave-one-out squared error.

    Args:
        features: `(n, n)` unit kernel of the frozen features.
        tangents: `(n, n)` unit kernel of what the strategy trains; None for a probe.
        targets: `(n, K)` indicators of classes, or standardised real values.
        among: The rows whose errors count; all by default. Where features have learned some rows'
            labels, it is the others.
    """
    shares: Iterable[float] = (0.0,) if tangents is None else _SHARES
    rows = slice(None) if among is None else among
    fits = (
        _best_penalty(_mixed(features, tangents, share), targets, share, rows) for share in shares
    )
    return min(fits, key=lambda fit: fit.error)


def leave_one_out(kernel: _Matrix, targets: _Matrix, penalties: NDArray[np.float64]) -> _Matrix:
    """Predictions `(p, n, K)` of each row by a ridge fitted on all the others.

    Args:
        kernel: `(n, n)`, centred.
        targets: `(n, K)`.
        penalties: `(p,)`, positive.
    """
    n = len(kernel)
    values, vectors = np.linalg.eigh(kernel)
    values = np.maximum(values, 0.0)
    mean = targets.mean(axis=0)
    projected = vectors.T @ (targets - mean)
    predictions = np.empty((len(penalties), *targets.shape))
    for i, penalty in enumerate(penalties):
        gains = values / (values + penalty)
        # The intercept is fitted on the left-out row as well: its leverage is 1 / n.
        leverage = np.minimum((vectors**2) @ gains + 1.0 / n, 1.0 - 1e-9)
        residual = vectors @ (gains[:, None] * projected) + mean - targets
        predictions[i] = targets + residual / (1.0 - leverage)[:, None]
    return predictions


def subset_losses(fit: KernelFit, targets: _Matrix, size: int, seed: int) -> NDArray[np.float64]:
    """Mean loss `(r,)` on the other rows, of fits on some random subsets of `size` rows."""
    rng = np.random.default_rng(seed)
    found = []
    for _ in range(_REPEATS):
        order = rng.permutation(len(targets))
        found.append(split_losses(fit, targets, order[:size], order[size:]).mean())
    return np.array(found)


def split_losses(
    fit: KernelFit, targets: _Matrix, here: NDArray[np.int64], there: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Losses of the rows `there` of a fit on the rows `here`."""
    size = len(here)
    system = np.ones((size + 1, size + 1))
    system[:size, :size] = fit.kernel[np.ix_(here, here)] + fit.penalty * np.eye(size)
    system[size, size] = 0.0
    solved = np.linalg.solve(system, np.vstack([targets[here], np.zeros(targets.shape[1])]))
    predicted = fit.kernel[np.ix_(there, here)] @ solved[:size] + solved[size]
    return _losses(predicted, targets[there])


def _mixed(features: _Matrix, tangents: _Matrix | None, share: float) -> _Matrix:
    return features if tangents is None else (1.0 - share) * features + share * tangents


def _best_penalty(
    kernel: _Matrix, targets: _Matrix, share: float, rows: NDArray[np.int64] | slice
) -> KernelFit:
    predictions = leave_one_out(kernel, targets, PENALTIES)[:, rows]
    errors = np.mean((predictions - targets[rows]) ** 2, axis=(1, 2))
    best = int(errors.argmin())
    losses = _losses(predictions[best], targets[rows])
    return KernelFit(losses, float(errors[best]), share, float(PENALTIES[best]), kernel)


def _losses(predictions: _Matrix, targets: _Matrix) -> NDArray[np.float64]:
    """0 or 1 where targets are indicators of classes, squared errors otherwise."""
    if np.isin(targets, (0.0, 1.0)).all() and (targets.sum(axis=1) == 1.0).all():
        wrong: NDArray[np.float64] = (predictions.argmax(1) != targets.argmax(1)).astype(np.float64)
        return wrong
    squared: NDArray[np.float64] = np.mean((predictions - targets) ** 2, axis=1)
    return squared
