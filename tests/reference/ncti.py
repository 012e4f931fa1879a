"""NCTI's terms in the components that singular values of the features give."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import eigh

from tests.reference.sfda import posteriors, within_covariance

__all__ = ["ncti"]


def ncti(features: NDArray, labels: NDArray) -> tuple[float, float, float]:
    """Nuclear norm, mean posterior and log of class nuclear norms, Wang et al. (2023)."""
    n, codes = len(labels), np.unique(labels, return_inverse=True)[1]
    left, sizes, _ = np.linalg.svd(features - features.mean(axis=0), full_matrices=False)
    width = min(64, *features.shape)
    rank = int(np.count_nonzero(sizes > 1e-7 * sizes[0]))
    shrinkage = max(float(np.exp(-np.sum(sizes[:32] ** 2) / (n - 1))), 1e-10)
    shrinkage = 0.0 if shrinkage == 1e-10 else shrinkage
    rows = (left * sizes)[:, : min(width, rank)]
    total = shrunk(rows.T @ rows / n, shrinkage, width)
    within = shrunk(within_covariance(rows, codes), shrinkage, width)
    directions = eigh(total - within, within)[1][:, ::-1][:, : codes.max()]
    probabilities = posteriors(rows, codes, within)
    norms = [np.linalg.norm(probabilities[codes == c], "nuc") for c in np.unique(codes)]
    return (
        float(np.linalg.norm(rows @ directions, "nuc")),
        float(probabilities[np.arange(n), codes].mean()),
        float(np.log(np.sum(norms))),
    )


def shrunk(matrix: NDArray, shrinkage: float, width: int) -> NDArray:
    target = np.trace(matrix) / width * np.eye(len(matrix))
    return (1.0 - shrinkage) * matrix + shrinkage * target
