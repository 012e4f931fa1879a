"""Cosine distance of the means."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.distance import cosine

__all__ = ["mean_cosine"]


def mean_cosine(source: NDArray, target: NDArray) -> float:
    """One minus the cosine."""
    return float(cosine(np.mean(source, axis=0), np.mean(target, axis=0)))
