"""CORAL, from numpy's own covariances."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["coral"]


def coral(source: NDArray, target: NDArray) -> float:
    """Squared Frobenius distance of the covariances over 4 d^2."""
    d = source.shape[1]
    a, b = (np.cov(x, rowvar=False).reshape(d, d) for x in (source, target))
    return float(np.sum((a - b) ** 2) / (4 * d * d))
