"""Squared Mahalanobis distance with the pooled covariance, by a pseudo-inverse."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["mahalanobis"]


def mahalanobis(source: NDArray, target: NDArray) -> float:
    """Divisor n_s + n_t - 2; every feature first divided by its spread, which changes nothing."""
    a, b = source - source.mean(axis=0), target - target.mean(axis=0)
    gap = source.mean(axis=0) - target.mean(axis=0)
    rows = np.concatenate([a, b])
    spread = rows.std(axis=0)
    varies = spread > 1e-12 * np.abs(source).max(axis=0)
    rows, gap = rows[:, varies] / spread[varies], gap[varies] / spread[varies]
    covariance = rows.T @ rows / (len(a) + len(b) - 2)
    return float(gap @ np.linalg.pinv(covariance, rcond=1e-11, hermitian=True) @ gap)
