"""Fréchet distance from centred data matrices, rows against rows."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["frechet"]


def frechet(source: NDArray, target: NDArray, ddof: int = 1) -> float:
    """Squared; the cross term as the singular values of the product of centred data matrices."""
    a, b = source - source.mean(axis=0), target - target.mean(axis=0)
    gap = source.mean(axis=0) - target.mean(axis=0)
    n, m = len(a) - ddof, len(b) - ddof
    traces = np.sum(a**2) / n + np.sum(b**2) / m
    cross = np.linalg.norm(a @ b.T / np.sqrt(n * m), "nuc")
    return float(gap @ gap + traces - 2 * cross)
