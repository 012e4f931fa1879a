"""Distance of the means."""

from __future__ import annotations

import math

from numpy.typing import NDArray

__all__ = ["mean_distance"]


def mean_distance(source: NDArray, target: NDArray) -> float:
    """Exactly summed means, one feature at a time."""
    means = [[math.fsum(column) / len(column) for column in x.T.tolist()] for x in (source, target)]
    return math.dist(*means)
