"""Unbiased squared MMD with Gaussian kernels, one pair of rows at a time."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["mmd", "unbiased"]


def unbiased(source: NDArray, target: NDArray, kernel) -> float:
    """Means of the kernel over all pairs, no row with itself."""
    within = [
        np.mean([kernel(x, y) for i, x in enumerate(side) for j, y in enumerate(side) if i != j])
        for side in (source, target)
    ]
    return float(sum(within) - 2 * np.mean([kernel(x, y) for x in source for y in target]))


def mmd(source: NDArray, target: NDArray) -> float:
    """Bandwidths 0.5, 1 and 2 times the median distance within the pooled sample."""
    pooled = np.concatenate([source, target])
    gaps = [np.linalg.norm(x - y) for i, x in enumerate(pooled) for y in pooled[:i]]
    sigmas = np.median(gaps) * np.array([0.5, 1.0, 2.0])

    def kernel(x, y):
        return np.mean(np.exp(-np.sum((x - y) ** 2) / (2 * sigmas**2)))

    return unbiased(source, target, kernel)
