"""Exact optimal transport as a linear programme."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linprog
from scipy.sparse import eye_array, kron, vstack
from scipy.spatial.distance import cdist

__all__ = ["emd", "transport"]


def transport(cost: NDArray, source_weights: NDArray, target_weights: NDArray) -> float:
    """The least cost of a plan with these row and column sums."""
    n, m = cost.shape
    rows = kron(eye_array(n), np.ones((1, m)))
    columns = kron(np.ones((1, n)), eye_array(m))
    scale = cost.max()
    if scale == 0.0:
        return 0.0
    solved = linprog(
        cost.ravel() / scale,
        A_eq=vstack([rows, columns]).tocsr()[:-1],
        b_eq=np.concatenate([source_weights, target_weights])[:-1],
        method="highs",
        options={"primal_feasibility_tolerance": 1e-10, "dual_feasibility_tolerance": 1e-10},
    )
    return float(solved.fun * scale)


def emd(source: NDArray, target: NDArray) -> float:
    """Squared Euclidean cost, uniform weights."""
    n, m = len(source), len(target)
    cost = cdist(source, target, "sqeuclidean")
    return transport(cost, np.full(n, 1 / n), np.full(m, 1 / m))
