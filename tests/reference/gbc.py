"""GBC pair by pair, with class covariances as matrices."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["gbc"]


def gbc(
    features: NDArray, labels: NDArray, covariance: str, n_components: int | None = None
) -> float:
    """Minus the sum of Bhattacharyya coefficients over ordered pairs, Pandy et al. (2022)."""
    rows = features - features.mean(axis=0)
    if n_components is not None:
        left, sizes, _ = np.linalg.svd(rows, full_matrices=False)
        rows = (left * sizes)[:, :n_components]
    total = 0.0
    classes = [gaussian(rows[labels == label], covariance) for label in np.unique(labels)]
    for i, (mean_i, cov_i) in enumerate(classes):
        for j, (mean_j, cov_j) in enumerate(classes):
            if i != j:
                total += np.exp(-bhattacharyya(mean_i - mean_j, cov_i, cov_j))
    return -float(total)


def gaussian(rows: NDArray, covariance: str) -> tuple[NDArray, NDArray]:
    full = np.atleast_2d(np.cov(rows, rowvar=False, ddof=1))
    if covariance == "diagonal":
        full = np.diag(np.diag(full))
    if covariance == "spherical":
        full = np.trace(full) / len(full) * np.eye(len(full))
    return rows.mean(axis=0), full


def bhattacharyya(gap: NDArray, a: NDArray, b: NDArray) -> float:
    varying = np.diag(a + b) > 0.0
    gap, a, b = gap[varying], a[np.ix_(varying, varying)], b[np.ix_(varying, varying)]
    between = (a + b) / 2
    volume = [np.linalg.slogdet(matrix)[1] for matrix in (between, a, b)]
    distance = gap @ np.linalg.solve(between, gap) / 8
    return float(distance + 0.5 * (volume[0] - 0.5 * (volume[1] + volume[2])))
