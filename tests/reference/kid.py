"""KID over all rows, one pair at a time."""

from __future__ import annotations

from numpy.typing import NDArray

from tests.reference.mmd import unbiased

__all__ = ["kid"]


def kid(source: NDArray, target: NDArray) -> float:
    """Kernel (x.y / d + 1)^3, unbiased."""
    d = source.shape[1]
    return unbiased(source, target, lambda x, y: (float(x @ y) / d + 1.0) ** 3)
