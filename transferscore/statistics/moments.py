"""Mergeable float64 moments of features and targets: one pass, any order, any split.

All moments are taken about the mean of the rows that they cover, not about zero: with features far
from the origin, differences of raw sums lose the digits that the scores live on.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.linalg.blas import dsyrk
from scipy.sparse import csr_array

from transferscore.errors import InputError
from transferscore.statistics.rows import feature_mean, row_blocks
from transferscore.statistics.targets import Targets

__all__ = [
    "Moments",
    "merge_moments",
    "mirror_lower",
    "moments",
    "target_products",
]

_NEAR_ROWS = 1024
_BLOCK_BYTES = 8 * 2**20
_PART_BYTES = 2**21
_COLUMNS = 256


@dataclass(frozen=True, slots=True)
class Moments:
    """Moments of n rows x of features and y of target columns, x' and y' about their means.

    Attributes:
        count: n.
        mean: `(d,)` mean of x.
        scatter: `(d, d)` sum of x' x'^T.
        target_mean: `(m,)` mean of y; class shares when y are indicators.
        cross: `(d, m)` sum of x' y'^T; centred class sums when y are indicators.
        target_scatter: `(m, m)` sum of y' y'^T.
        norm_cubed: `(d,)` sum of |x'|^2 x'.
        norm_fourth: sum of |x'|^4.
    """

    count: int
    mean: NDArray[np.float64]
    scatter: NDArray[np.float64]
    target_mean: NDArray[np.float64]
    cross: NDArray[np.float64]
    target_scatter: NDArray[np.float64]
    norm_cubed: NDArray[np.float64]
    norm_fourth: float


def moments(features: NDArray[Any], targets: Targets) -> Moments:
    """Moments of checked `features` `(n, d)` and their `targets`.

    Reads the rows once, in float64 blocks; memory beyond the features is one d x d matrix and a
    block.
    """
    sums = _Sums(features, targets)
    n, step = len(features), sums.first / len(features)
    length, trace, turned = float(step @ step), float(np.trace(sums.scatter)), sums.scatter @ step
    fourth = sums.norm_fourth - 4 * float(step @ sums.norm_cubed) + 2 * length * trace
    _subtract_square(sums.scatter, step, n)
    return Moments(
        n,
        sums.near + step,
        sums.scatter,
        targets.mean(),
        sums.cross(),
        target_products(targets),
        sums.norm_cubed - trace * step - 2 * turned + 2 * n * length * step,
        max(0.0, fourth + 4 * float(step @ turned) - 3 * n * length**2),
    )


class _Sums:
    """Sums over rows x about a point near their mean, which one pass can do without the mean.

    Attributes:
        near: `(d,)` the mean of some rows; exact where a feature is constant, as sums about it are.
        first: `(d,)` sum of x.
        scatter: `(d, d)` sum of x x^T.
        norm_cubed: `(d,)` sum of |x|^2 x.
        norm_fourth: sum of |x|^4.
    """

    def __init__(self, features: NDArray[Any], targets: Targets) -> None:
        n, d = features.shape
        # Rows from all over, for where rows come sorted the first ones may lie far from the mean.
        self.near = feature_mean(features[:: max(1, n // _NEAR_ROWS)])
        self.first, self.norm_cubed, self.norm_fourth = np.zeros(d), np.zeros(d), 0.0
        self.scatter = np.zeros((d, d), order="F")
        self._target_mean, self._is_classes = targets.mean(), targets.is_classes
        self._by_target = np.zeros((targets.n_columns, d))
        for block in row_blocks(n, d, _BLOCK_BYTES):
            self._add(features[block], targets, block.start)
        mirror_lower(self.scatter)

    def _add(self, features: NDArray[Any], targets: Targets, start: int) -> None:
        block = np.empty(features.shape)
        # Everything but the large product is done part by part, while the part is in the cache.
        for rows in row_blocks(len(features), features.shape[1], _PART_BYTES):
            part = np.subtract(features[rows], self.near, out=block[rows])
            squares = np.einsum("ij,ij->i", part, part)
            first, cubed = np.stack([np.ones(len(part)), squares]) @ part
            self.first += first
            self.norm_cubed += cubed
            self.norm_fourth += float(squares @ squares)
            places = slice(start + rows.start, start + rows.stop)
            self._by_target += self._columns(targets, places).T @ part
        # Only the lower triangle is summed: half the work of a full product.
        self.scatter = dsyrk(1.0, block.T, beta=1.0, c=self.scatter, lower=1, overwrite_c=1)

    def _columns(self, targets: Targets, rows: slice) -> NDArray[np.float64] | csr_array:
        """Target columns of a part: sparse for classes, so that their product is one pass."""
        if targets.codes is None:
            return targets.matrix(rows) - self._target_mean
        codes = targets.codes[rows]
        rows_begin = np.arange(len(codes) + 1)
        shape = (len(codes), targets.n_columns)
        return csr_array((np.ones(len(codes)), codes, rows_begin), shape)

    def cross(self) -> NDArray[np.float64]:
        """`(d, m)` sum of x y'^T, the targets y' about their mean."""
        if self._is_classes:
            self._by_target -= np.outer(self._target_mean, self.first)
        return np.ascontiguousarray(self._by_target.T)


def _subtract_square(scatter: NDArray[np.float64], step: NDArray[np.float64], count: int) -> None:
    """Move a scatter to the mean, which lies a step away, in place and column by column."""
    for start in range(0, len(step), _COLUMNS):
        columns = slice(start, start + _COLUMNS)
        scatter[:, columns] -= np.outer(step, count * step[columns])


def target_products(targets: Targets) -> NDArray[np.float64]:
    """`(m, m)` sum of y' y'^T over all rows."""
    if targets.is_classes:
        counts = targets.counts().astype(np.float64)
        within: NDArray[np.float64] = np.diag(counts) - np.outer(counts, counts) / counts.sum()
        return within
    centered = targets.matrix() - targets.mean()
    product: NDArray[np.float64] = centered.T @ centered
    return product


def mirror_lower(matrix: NDArray[np.float64], tile: int = 512) -> None:
    """Copy the lower triangle onto the upper, tile by tile, in place."""
    d = len(matrix)
    for i in range(0, d, tile):
        rows = slice(i, i + tile)
        square = matrix[rows, rows]
        above = np.tri(len(square), k=-1, dtype=bool).T
        np.copyto(square, square.T.copy(), where=above)
        matrix[rows, i + tile :] = matrix[i + tile :, rows].T


def merge_moments(a: Moments, b: Moments) -> Moments:
    """Moments of the rows of `a` and `b` together (Chan, Golub & LeVeque 1983).

    Raises:
        InputError: The two have different numbers of features or target columns.
    """
    if a.cross.shape != b.cross.shape:
        raise InputError(
            "Only moments of the same features and targets can be merged; got shapes "
            f"{a.cross.shape} and {b.cross.shape} (n_features, n_targets)."
        )
    n = a.count + b.count
    mean = a.mean + (b.mean - a.mean) * (b.count / n)
    step = b.mean - a.mean
    target_step = b.target_mean - a.target_mean
    weight = a.count * b.count / n
    cubed_a, fourth_a = _about(a, mean)
    cubed_b, fourth_b = _about(b, mean)
    return Moments(
        n,
        mean,
        a.scatter + b.scatter + weight * np.outer(step, step),
        a.target_mean + target_step * (b.count / n),
        a.cross + b.cross + weight * np.outer(step, target_step),
        a.target_scatter + b.target_scatter + weight * np.outer(target_step, target_step),
        cubed_a + cubed_b,
        fourth_a + fourth_b,
    )


def _about(part: Moments, mean: NDArray[np.float64]) -> tuple[NDArray[np.float64], float]:
    """`norm_cubed` and `norm_fourth` of `part` about another mean."""
    e = part.mean - mean
    length = float(e @ e)
    trace = float(np.trace(part.scatter))
    turned = part.scatter @ e
    cubed = part.norm_cubed + trace * e + 2 * turned + part.count * length * e
    fourth = (
        part.norm_fourth
        + 4 * float(e @ part.norm_cubed)
        + 4 * float(e @ turned)
        + 2 * length * trace
        + part.count * length**2
    )
    return cubed, fourth
