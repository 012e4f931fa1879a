"""Squared distances between rows: products where they are exact, differences elsewhere."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from transferscore.statistics.rows import row_blocks

__all__ = ["distance_blocks", "squared_distances"]

_NEAR = 1e-6


def squared_distances(a: NDArray[np.float64], b: NDArray[np.float64]) -> NDArray[np.float64]:
    """`(n, m)` squared distances between the rows of `a` `(n, d)` and `b` `(m, d)`."""
    norms_a, norms_b = np.einsum("ij,ij->i", a, a), np.einsum("ij,ij->i", b, b)
    sums = norms_a[:, None] + norms_b
    squared: NDArray[np.float64] = sums - 2.0 * (a @ b.T)
    # Rows that nearly coincide lose all their digits in the difference of products.
    sums *= _NEAR
    rows, columns = np.nonzero(squared <= sums)
    for block in row_blocks(len(rows), a.shape[1]):
        gaps = a[rows[block]] - b[columns[block]]
        squared[rows[block], columns[block]] = np.einsum("ij,ij->i", gaps, gaps)
    return squared


def distance_blocks(
    a: NDArray[np.float64], b: NDArray[np.float64]
) -> Iterator[tuple[slice, NDArray[np.float64]]]:
    """Squared distances of a block of rows of `a` to all of `b`, block by block."""
    for rows in row_blocks(len(a), len(b)):
        yield rows, squared_distances(a[rows], b)
