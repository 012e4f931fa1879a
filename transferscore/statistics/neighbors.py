"""Nearest neighbours among the rows themselves, in blocks, exact to float64."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from transferscore.statistics.rows import feature_mean, row_blocks

__all__ = ["nearest_others"]

_ROUNDING = {np.float32: 2.0**-24, np.float64: 2.0**-53}


def nearest_others(features: NDArray[Any], k: int) -> NDArray[np.int64]:
    """The k nearest other rows of each row, by Euclidean distance, nearest first.

    Candidates come from float32 products, at half the time of float64 ones, and are put in order by
    exact float64 distances; of equally distant rows the earlier comes first. Rows for which the
    rounding of float32 could hide a nearer one, or which have many at one distance, are searched
    again in float64.

    Args:
        features: `(n, d)`, checked.
        k: At most n - 1.

    Returns:
        Row numbers `(n, k)`.
    """
    n, d = features.shape
    mean = feature_mean(features)
    scale = float(np.sqrt(np.mean([np.mean((features[b] - mean) ** 2) for b in row_blocks(n, d)])))
    if scale == 0.0:
        return _earliest_others(n, k)
    points, norms = _standardised(features, mean, scale)
    n_candidates = min(n, 2 * k + 9)
    nearest = np.empty((n, k), dtype=np.int64)
    for block in row_blocks(n, n):
        closeness = points[block] @ points.T
        closeness -= (0.5 * norms**2).astype(np.float32)
        candidates = np.argpartition(-closeness, n_candidates - 1, axis=1)[:, :n_candidates]
        nearest[block], reach = _ordered(features, block, candidates, k)
        if n_candidates < n:
            farthest = np.take_along_axis(closeness, candidates, axis=1).min(axis=1)
            own = norms[block]
            needed = _needed_closeness(own, reach / scale, d, np.float32)
            for rows in _some_rows(block, np.flatnonzero(farthest >= needed)):
                nearest[rows] = _searched_again(features, mean, rows, nearest[rows])
    return nearest


def _earliest_others(n: int, k: int) -> NDArray[np.int64]:
    """What nearest means where all rows are one point."""
    order = np.arange(k)
    return order + (order >= np.arange(n)[:, None])


def _standardised(
    features: NDArray[Any], mean: NDArray[np.float64], scale: float
) -> tuple[NDArray[np.float32], NDArray[np.float64]]:
    """Rows centred and of unit size, so that float32 keeps seven digits, and their norms `(n,)`."""
    n, d = features.shape
    points, norms = np.empty((n, d), dtype=np.float32), np.empty(n)
    for block in row_blocks(n, d):
        scaled = (features[block] - mean) / scale
        points[block] = scaled
        norms[block] = np.sqrt(np.einsum("ij,ij->i", scaled, scaled))
    return points, norms


def _ordered(
    features: NDArray[Any], block: slice, candidates: NDArray[np.int64], k: int
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """The k nearest of each row's candidates, itself left out, and the distance of the k-th."""
    own = np.arange(block.start, block.stop)
    distances = np.empty(candidates.shape)
    for start in range(0, len(own), 64):
        rows = slice(start, start + 64)
        gaps = features[candidates[rows]].astype(np.float64) - features[own[rows], None]
        distances[rows] = np.einsum("ijk,ijk->ij", gaps, gaps)
    distances[candidates == own[:, None]] = np.inf
    order = np.lexsort((candidates, distances), axis=1)[:, :k]
    reach = np.sqrt(np.take_along_axis(distances, order[:, -1:], axis=1)[:, 0])
    return np.take_along_axis(candidates, order, axis=1), reach


def _needed_closeness(
    norms: NDArray[np.float64], reach: NDArray[np.float64], d: int, precision: type[np.floating]
) -> NDArray[np.float64]:
    """The computed closeness x.y - |y|^2 / 2 below which y is surely farther from x than `reach`.

    A y that is nearer has |y| <= |x| + reach, which bounds the rounding error of its closeness.
    """
    longest = norms + reach
    error = (d + 8) * _ROUNDING[precision] * (norms * longest + 0.5 * longest**2)
    return 0.5 * (norms**2 - reach**2) - error


def _some_rows(block: slice, positions: NDArray[np.int64], size: int = 64) -> list[Any]:
    """The rows at `positions` of a block, in parts small enough for a float64 search."""
    rows = block.start + positions
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
    reach = np.sqrt(np.sum((features[found[:, -1]] - mean - own) ** 2, axis=1))
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
