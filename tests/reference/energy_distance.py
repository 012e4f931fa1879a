"""Energy distance, one pair of rows at a time."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["energy_distance"]


def energy_distance(source: NDArray, target: NDArray, *, unbiased: bool = False) -> float:
    """Squared; the zero distances of rows to themselves left out if unbiased."""

    def within(side):
        total = sum(np.linalg.norm(x - y) for x in side for y in side)
        return total / (len(side) * (len(side) - unbiased))

    cross = np.mean([np.linalg.norm(x - y) for x in source for y in target])
    return float(2 * cross - within(source) - within(target))
