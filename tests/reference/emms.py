"""EMMS as Meng et al. (2023) define it, by least squares on all samples."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

__all__ = ["emms", "held_out_emms", "nearest_on_simplex"]


def emms(features: NDArray, embedded: NDArray) -> float:
    """Minus the mean squared residual for `embedded` labels `(k, n, m)`, after one alternation."""
    x, y = _standard(features), np.stack([_standard(e) for e in embedded])
    target = y.mean(axis=0)
    fitted = x @ np.linalg.lstsq(x, target, rcond=1e-9)[0]
    columns = np.stack([e.ravel() for e in y], axis=1)
    weights = nearest_on_simplex(np.linalg.lstsq(columns, fitted.ravel(), rcond=None)[0])
    return -float(np.mean((fitted - np.tensordot(weights, y, 1)) ** 2))


def held_out_emms(features: NDArray, embedded: NDArray, penalties: NDArray) -> float:
    """Minus the least mean squared error of ridge regressions that leave each sample out."""
    y = np.stack([_standard(e) for e in embedded]).mean(axis=0)
    return -min(np.mean([_missed(features, y, i, t) for i in range(len(y))]) for t in penalties)


def nearest_on_simplex(values: NDArray) -> NDArray:
    """The point of the simplex nearest to `values`, by a general-purpose minimiser."""
    k = len(values)
    found = minimize(
        lambda w: np.sum((w - values) ** 2),
        np.full(k, 1 / k),
        bounds=[(0, 1)] * k,
        constraints={"type": "eq", "fun": lambda w: w.sum() - 1},
        tol=1e-14,
    )
    return found.x


def _missed(features: NDArray, y: NDArray, i: int, penalty: float) -> NDArray:
    others = np.arange(len(y)) != i
    x, offset = features[others] - features[others].mean(axis=0), y[others].mean(axis=0)
    if np.isinf(penalty):
        return (offset - y[i]) ** 2
    gram = x.T @ x + penalty * np.eye(x.shape[1])
    weights = np.linalg.solve(gram, x.T @ (y[others] - offset))
    return ((features[i] - features[others].mean(axis=0)) @ weights + offset - y[i]) ** 2


def _standard(columns: NDArray) -> NDArray:
    return (columns - columns.mean(axis=0)) / (columns.std(axis=0) + 1e-8)
