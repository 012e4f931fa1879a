"""Sinkhorn divergence by plain scaling, to convergence."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.distance import cdist

__all__ = ["sinkhorn"]


def sinkhorn(source: NDArray, target: NDArray, share: float = 0.1) -> dict[str, float]:
    """Both objectives; squared Euclidean cost, epsilon a share of its mean."""
    epsilon = share * cdist(source, target, "sqeuclidean").mean()
    cross, *own = (
        _transport(cdist(x, y, "sqeuclidean"), epsilon)
        for x, y in ((source, target), (source, source), (target, target))
    )
    return {name: float(cross[name] - (own[0][name] + own[1][name]) / 2) for name in cross}


def _transport(cost: NDArray, epsilon: float) -> dict[str, float]:
    n, m = cost.shape
    kernel = np.exp(-cost / epsilon)
    v = np.ones(m)
    for step in range(300_000):
        u = 1 / (n * (kernel @ v))
        if step % 100 == 99 and np.abs(m * v * (u @ kernel) - 1).max() < 1e-13:
            break
        v = 1 / (m * (u @ kernel))
    plan = u[:, None] * kernel * v
    divergence = np.sum(plan * np.log(np.maximum(plan * n * m, 1e-300)))
    linear = np.sum(plan * cost)
    return {"transport_cost": linear, "entropic_objective": linear + epsilon * divergence}
