"""The unbiased squared maximum mean discrepancy of any kernel, in blocks."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from transferscore.statistics.rows import row_blocks

__all__ = ["unbiased_discrepancy"]

Kernel = Callable[[NDArray[np.float64], NDArray[np.float64]], NDArray[np.float64]]


def unbiased_discrepancy(a: NDArray[np.float64], b: NDArray[np.float64], kernel: Kernel) -> float:
    """Mean k(a, a') + mean k(b, b') - 2 mean k(a, b), no row with itself.

    Args:
        a: `(n, d)`, at least two rows.
        b: `(m, d)`, at least two rows.
        kernel: From `(p, d)` and `(q, d)` to `(p, q)`.
    """
    cross = sum(float(kernel(a[rows], b).sum()) for rows in row_blocks(len(a), len(b)))
    return _within(a, kernel) + _within(b, kernel) - 2.0 * cross / (len(a) * len(b))


def _within(a: NDArray[np.float64], kernel: Kernel) -> float:
    n, total = len(a), 0.0
    for rows in row_blocks(n, n):
        block = kernel(a[rows], a)
        total += float(block.sum()) - float(np.trace(block, offset=rows.start))
    return total / (n * (n - 1))
