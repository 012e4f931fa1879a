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
    "centered_cross",
    "merge_moments",
    "mirror_lower",
    "moments",
    "target_products",
]


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

    Reads the rows twice, in float64 blocks; memory beyond the features is two d x d matrices.
    """
    n, d = features.shape
    mean = feature_mean(features)
    scatter = np.zeros((d, d), order="F")
    cubed, fourth = np.zeros(d), 0.0
    for block in row_blocks(n, d):
        centered = features[block] - mean
        # Only the lower triangle is summed: half the work of a full product.
        scatter = dsyrk(1.0, centered.T, beta=1.0, c=scatter, lower=1, overwrite_c=1)
        squared_norms = np.einsum("ij,ij->i", centered, centered)
        cubed += squared_norms @ centered
        fourth += float(squared_norms @ squared_norms)
    mirror_lower(scatter)
    return Moments(
        n,
        mean,
        scatter,
        targets.mean(),
        centered_cross(features, mean, targets),
        target_products(targets),
        cubed,
        fourth,
    )


def centered_cross(
    features: NDArray[Any], mean: NDArray[np.float64], targets: Targets
) -> NDArray[np.float64]:
    """`(d, m)` sum of x' y'^T over all rows, x' = x - mean."""
    n, d = features.shape
    total, leftover = np.zeros((targets.n_columns, d)), np.zeros(d)
    for block in row_blocks(n, d):
        centered = features[block] - mean
        total += _columns(targets, block).T @ centered
        leftover += centered.sum(axis=0)
    # The x' sum to zero but for the rounding of the mean, which far from the origin shows.
    total -= np.outer(targets.mean(), leftover)
    return np.ascontiguousarray(total.T)


def _columns(targets: Targets, block: slice) -> NDArray[np.float64] | csr_array:
    """The target columns of a block, sparse for classes: their product is one pass over rows."""
    if targets.codes is None:
        return targets.matrix(block)
    codes = targets.codes[block]
    rows = np.arange(len(codes))
    return csr_array((np.ones(len(codes)), (rows, codes)), (len(codes), targets.n_columns))


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
        matrix[rows, rows] = np.tril(square) + np.tril(square, -1).T
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
