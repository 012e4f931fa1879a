"""Sliced Wasserstein distance: every row repeated until both samples have as many."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["sliced_wasserstein"]


def sliced_wasserstein(source: NDArray, target: NDArray, directions: NDArray, p: float) -> float:
    """One direction `(d,)` after another; sorted rows go to sorted rows."""
    costs = []
    for direction in directions.T:
        a = np.sort(np.repeat(source @ direction, len(target)))
        b = np.sort(np.repeat(target @ direction, len(source)))
        costs.append(np.mean(np.abs(a - b) ** p))
    return float(np.mean(costs) ** (1 / p))
