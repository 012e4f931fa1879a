"""Nearest neighbours among the rows themselves, in blocks, exact to float64."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from transferscore.statistics.rows import feature_mean, row_blocks

__all__ = ["nearest_others"]

_TILE = 1024
_CACHED_BYTES = 2**20
_ROUNDING = {np.float32: 2.0**-24, np.float64: 2.0**-53}


def nearest_others(features: NDArray[Any], k: int) -> NDArray[np.int64]:
    """The k nearest other rows of each row, by Euclidean distance, in order of row number.

    Found by float32 products, at half the time of float64 ones, of which symmetry spares half. Rows
    for which rounding could hide a nearer one, or which have many at one distance, are searched
    again in float64; of equally distant rows the earlier is taken.

    Args:
        features: `(n, d)`, checked.
        k: At most n - 1.

    Returns:
        Row numbers `(n, k)`, ascending.
    """
    n, d = features.shape
    mean = feature_mean(features)
    scale = float(np.sqrt(np.mean([np.mean((features[b] - mean) ** 2) for b in row_blocks(n, d)])))
    if scale == 0.0:
        return _earliest_others(n, k)
    points = _Standardised(features, mean, scale)
    norms = points.norms()
    closest = _closest(points, (0.5 * norms**2).astype(np.float32), min(k + 1, n - 1))
    nearest = closest.rows[:, :k]
    if k < n - 1:
        for rows in _some_rows(np.flatnonzero(closest.is_unsure(norms, d))):
            nearest[rows] = _searched_again(features, mean, rows, nearest[rows])
    return np.sort(nearest, axis=1)


def _earliest_others(n: int, k: int) -> NDArray[np.int64]:
    """What nearest means where all rows are one point."""
    order = np.arange(k)
    return order + (order >= np.arange(n)[:, None])


@dataclass(frozen=True, slots=True)
class _Standardised:
    """Rows centred and of unit size, so that float32 keeps seven digits; made tile by tile.

    A copy of all rows would weigh as much as the features themselves.
    """

    features: NDArray[Any]
    mean: NDArray[np.float64]
    scale: float

    def tile(self, rows: slice) -> NDArray[np.float32]:
        """Some of the rows."""
        tile = np.empty((rows.stop - rows.start, len(self.mean)), dtype=np.float32)
        for block, scaled in self._blocks(rows):
            tile[block] = scaled
        return tile

    def norms(self) -> NDArray[np.float64]:
        """Length of each row `(n,)`."""
        norms = np.empty(len(self.features))
        for block, scaled in self._blocks(slice(0, len(norms))):
            norms[block] = np.sqrt(np.einsum("ij,ij->i", scaled, scaled))
        return norms

    def _blocks(self, rows: slice) -> Iterator[tuple[slice, NDArray[np.float64]]]:
        part = self.features[rows]
        for block in row_blocks(len(part), len(self.mean), _CACHED_BYTES):
            yield block, (part[block] - self.mean) / self.scale


@dataclass(frozen=True, slots=True)
class _Closest:
    """The q rows closest to each row so far, closest first: x.y - |y|^2 / 2 and row number."""

    closeness: NDArray[np.float32]  # (n, q)
    rows: NDArray[np.int64]  # (n, q)

    def update(self, own: slice, closeness: NDArray[np.float32], first: int) -> None:
        """Take in the closeness `(len(own), b)` to the rows from `first` on."""
        found, values = _largest(closeness, self.rows.shape[1], self.closeness[own, -1])
        values = np.concatenate([self.closeness[own], values], axis=1)
        rows = np.concatenate([self.rows[own], found + first], axis=1)
        order = np.argsort(-values, axis=1, kind="stable")[:, : self.rows.shape[1]]
        self.closeness[own] = np.take_along_axis(values, order, axis=1)
        self.rows[own] = np.take_along_axis(rows, order, axis=1)

    def is_unsure(self, norms: NDArray[np.float64], d: int) -> NDArray[np.bool_]:
        """Where the last row is so close to the one before that rounding may have swapped them."""
        reach = np.sqrt(np.maximum(norms**2 - 2.0 * self.closeness[:, -1], 0.0))
        gap = np.subtract(self.closeness[:, -2], self.closeness[:, -1], dtype=np.float64)
        unsure: NDArray[np.bool_] = gap <= 2.0 * _rounding(norms, reach, d, np.float32)
        return unsure


def _largest(
    values: NDArray[np.float32], q: int, above: NDArray[np.float32]
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Columns and values of the q largest of each row that are larger than `above` `(b,)`.

    Where a row has fewer, -inf stands for the rest. Almost no value passes a threshold that some
    thousand others have set, so most of a tile costs one comparison.
    """
    if not np.isfinite(above).all():
        above = np.maximum(above, _least_worth_keeping(values, q))
    rows, columns = np.nonzero(values > above[:, None])
    hits = values[rows, columns]
    order = np.lexsort((-hits, rows))
    rows, columns, hits = rows[order], columns[order], hits[order]
    place = np.arange(len(rows)) - np.searchsorted(rows, rows)
    kept = place < q
    found = np.zeros((len(values), q), dtype=np.int64)
    largest = np.full((len(values), q), -np.inf, dtype=np.float32)
    found[rows[kept], place[kept]] = columns[kept]
    largest[rows[kept], place[kept]] = hits[kept]
    return found, largest


def _least_worth_keeping(values: NDArray[np.float32], q: int) -> NDArray[np.float32]:
    """Just below the q-th largest of the first columns: no smaller value is among the q largest."""
    width = min(values.shape[1], 512)
    if width <= q:
        return np.full(len(values), -np.inf, dtype=np.float32)
    sample = np.partition(values[:, :width], width - q, axis=1)[:, width - q]
    below: NDArray[np.float32] = np.nextafter(sample, np.float32(-np.inf))
    return below


def _closest(points: _Standardised, half_squares: NDArray[np.float32], q: int) -> _Closest:
    """The q closest others of each row, tile by tile of the upper triangle."""
    n = len(half_squares)
    closest = _Closest(np.full((n, q), -np.inf, np.float32), np.zeros((n, q), dtype=np.int64))
    starts = range(0, n, _TILE)
    for i in starts:
        own = slice(i, min(i + _TILE, n))
        own_points = points.tile(own)
        for j in range(i, n, _TILE):
            other = slice(j, min(j + _TILE, n))
            other_points = own_points if i == j else points.tile(other)
            products = own_points @ other_points.T
            if i == j:
                np.fill_diagonal(products, -np.inf)
            else:
                closest.update(other, np.ascontiguousarray(products.T) - half_squares[own], i)
            products -= half_squares[other]
            closest.update(own, products, j)
    return closest


def _needed_closeness(
    norms: NDArray[np.float64], reach: NDArray[np.float64], d: int, precision: type[np.floating]
) -> NDArray[np.float64]:
    """The computed closeness x.y - |y|^2 / 2 below which y is surely farther from x than `reach`.

    A y that is nearer has |y| <= |x| + reach, which bounds the rounding error of its closeness.
    """
    needed: NDArray[np.float64] = 0.5 * (norms**2 - reach**2)
    needed -= _rounding(norms, reach, d, precision)
    return needed


def _rounding(
    norms: NDArray[np.float64], reach: NDArray[np.float64], d: int, precision: type[np.floating]
) -> NDArray[np.float64]:
    """How far the closeness of a y within `reach` may be off.

    A sum of d products is off by d roundings of the whole at worst. In fact they walk at random,
    over partial sums that are smaller than the whole: twice the square root of d is never seen.
    """
    longest = norms + reach
    roundings = min(d + 8.0, 2.0 * (d + 8.0) ** 0.5 + 8.0)
    error: NDArray[np.float64] = norms * longest + 0.5 * longest**2
    error *= roundings * _ROUNDING[precision]
    return error


def _some_rows(rows: NDArray[np.int64], size: int = 256) -> list[NDArray[np.int64]]:
    """The rows in parts small enough for a float64 search."""
    return [rows[start : start + size] for start in range(0, len(rows), size)]


def _searched_again(
    features: NDArray[Any],
    mean: NDArray[np.float64],
    rows: NDArray[np.int64],
    found: NDArray[np.int64],
) -> NDArray[np.int64]:
    """The exact nearest of a few rows; no more than the farthest of those `found` can be needed."""
    n, d = features.shape
    own = features[rows] - mean
    gaps = features[found] - (features[rows].astype(np.float64))[:, None]
    reach = np.sqrt(np.sum(gaps**2, axis=2).max(axis=1))
    needed = _needed_closeness(np.sqrt(np.sum(own**2, axis=1)), reach, d, np.float64)
    near = np.empty((n, len(rows)), dtype=np.bool_)
    for block in row_blocks(n, d):
        others = features[block] - mean
        closeness = others @ own.T - 0.5 * np.einsum("ij,ij->i", others, others)[:, None]
        near[block] = closeness >= needed
    return np.stack(
        [
            _nearest_among(features, row, np.flatnonzero(near[:, i]), found.shape[1])
            for i, row in enumerate(rows)
        ]
    )


def _nearest_among(
    features: NDArray[Any], row: np.int64, among: NDArray[np.int64], k: int
) -> NDArray[np.int64]:
    among = among[among != row]
    distances = np.empty(len(among))
    for block in row_blocks(len(among), features.shape[1]):
        gaps = features[among[block]].astype(np.float64) - features[row]
        distances[block] = np.einsum("ij,ij->i", gaps, gaps)
    nearest: NDArray[np.int64] = among[np.argsort(distances, kind="stable")[:k]]
    return nearest
