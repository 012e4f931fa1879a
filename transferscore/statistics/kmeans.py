"""Lloyd's k-means from a k-means++ start: where Gaussian mixtures begin."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from transferscore.statistics.rows import row_blocks

__all__ = ["kmeans"]

_MAX_ROUNDS = 300
_TOLERANCE = 1e-4

_Matrix = NDArray[np.float64]


def kmeans(points: _Matrix, n_clusters: int, seed: int) -> NDArray[np.int64]:
    """Cluster of each point `(n,)`.

    Draws the random numbers of scikit-learn's KMeans in its order, so that the same seed gives the
    same clusters.

    Args:
        points: `(n, p)`.
        n_clusters: At most n.
        seed: Of the start.
    """
    points = points - points.mean(axis=0)
    least_move = _TOLERANCE * float(points.var(axis=0).mean())
    centers = points[_start(points, n_clusters, seed)]
    clusters = np.full(len(points), -1)
    for _ in range(_MAX_ROUNDS):
        before, clusters = clusters, _nearest(points, centers)
        moved = _means(points, clusters, centers)
        shift, centers = float(np.sum((moved - centers) ** 2)), moved
        if np.array_equal(before, clusters):
            return clusters
        if shift <= least_move:
            break
    return _nearest(points, centers)


def _start(points: _Matrix, n_clusters: int, seed: int) -> list[int]:
    """Points far from one another (Arthur & Vassilvitskii 2007), the best of a few draws each."""
    n = len(points)
    # The generator that the mixtures of the published scores draw from.
    rng = np.random.RandomState(seed)
    n_draws = 2 + int(np.log(n_clusters))
    squares = np.einsum("ij,ij->i", points, points)
    chosen = [int(rng.choice(n, p=np.full(n, 1.0) / n))]
    nearest = _distances(points, squares, np.array(chosen))[0]
    for _ in range(1, n_clusters):
        drawn = rng.uniform(size=n_draws) * nearest.sum()
        candidates = np.minimum(np.searchsorted(np.cumsum(nearest), drawn), n - 1)
        nearer = np.minimum(nearest, _distances(points, squares, candidates))
        best = int(nearer.sum(axis=1).argmin())
        nearest = nearer[best]
        chosen.append(int(candidates[best]))
    return chosen


def _distances(points: _Matrix, squares: _Matrix, rows: NDArray[np.int64]) -> _Matrix:
    """Squared distances of all points from some of them `(len(rows), n)`."""
    distances: _Matrix = points[rows] @ points.T
    distances *= -2.0
    distances += squares
    distances += squares[rows, None]
    np.maximum(distances, 0.0, out=distances)
    distances[np.arange(len(rows)), rows] = 0.0
    return distances


def _nearest(points: _Matrix, centers: _Matrix) -> NDArray[np.int64]:
    half = 0.5 * np.einsum("ij,ij->i", centers, centers)
    clusters = np.empty(len(points), dtype=np.int64)
    for rows in row_blocks(len(points), len(centers)):
        clusters[rows] = (half - points[rows] @ centers.T).argmin(axis=1)
    return clusters


def _means(points: _Matrix, clusters: NDArray[np.int64], centers: _Matrix) -> _Matrix:
    """Mean of each cluster; one without points takes the point farthest from its own center."""
    counts = np.bincount(clusters, minlength=len(centers)).astype(np.float64)
    order = np.argsort(clusters, kind="stable")
    sums = np.zeros_like(centers)
    starts = np.concatenate([[0], np.cumsum(counts[:-1])]).astype(np.int64)
    occupied = counts > 0.0
    sums[occupied] = np.add.reduceat(points[order], starts[occupied], axis=0)
    empty = np.flatnonzero(~occupied)
    if len(empty):
        gaps = np.sum((points - centers[clusters]) ** 2, axis=1)
        if gaps.max() == 0.0:
            return np.where(occupied[:, None], sums / np.maximum(counts, 1.0)[:, None], centers)
        farthest = np.argpartition(gaps, -len(empty))[: -len(empty) - 1 : -1]
        np.subtract.at(sums, clusters[farthest], points[farthest])
        np.subtract.at(counts, clusters[farthest], 1.0)
        sums[empty], counts[empty] = points[farthest], 1.0
    means: _Matrix = sums / np.maximum(counts, 1.0)[:, None]
    return means
