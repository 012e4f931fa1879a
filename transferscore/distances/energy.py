"""Energy distance: how much farther rows lie from the other sample than from their own."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from transferscore.distances.fingerprint import Fingerprint
from transferscore.distances.info import DistanceInfo, checked, without_rounding
from transferscore.distances.pair import MAX_KERNEL_ROWS, Pair
from transferscore.distances.pairwise import distance_blocks

__all__ = ["INFO", "energy_distance", "energy_distance_of_pair"]


def energy_distance(
    source_features: ArrayLike | Fingerprint,
    target_features: ArrayLike | Fingerprint,
    *,
    unbiased: bool = False,
    seed: int = 0,
) -> float:
    r"""Tell how much farther rows lie from the other sample than from their own, on average.

    .. math:: 2 E|X - Y| - E|X - X'| - E|Y - Y'|

    Sees every difference between two distributions. The squared form. With the zero distances of
    rows to themselves (the V-statistic) it is a distance between the two samples, never negative,
    that shrinks as rows are added; without them (`unbiased`) its expectation is that of the
    distributions.

    Args:
        source_features: `(n_source, d)`, or a fingerprint (its coreset is compared).
        target_features: `(n_target, d)`, or a fingerprint.
        unbiased: Leave the zero distances out (the U-statistic); not clipped at 0.
        seed: Of the rows drawn, as many on both sides, where one has more than 5,000.

    Returns:
        At least 0, in feature units; 0 for a sample and itself. Unbiased: about 0 for samples of
        one distribution, and negative for a sample and itself.

    Raises:
        InputError: Shapes do not match, or a value is not finite; unbiased: one row only.

    References:
        Székely & Rizzo (2013), Energy statistics: A class of statistics based on distances, J.
        Statistical Planning and Inference 143.

    Examples:
        >>> energy_distance([[0], [1]], [[3], [4]])
        5.0
        >>> energy_distance([[0], [1]], [[3], [4]], unbiased=True)
        4.0
    """
    pair = Pair(source_features, target_features, seed=seed)
    return energy_distance_of_pair(pair, unbiased=unbiased)


def energy_distance_of_pair(pair: Pair, *, unbiased: bool = False) -> float:
    """Energy distance of a checked pair; see `energy_distance`."""
    if unbiased:
        pair.check_two_rows("energy")
    source, target, unit = pair.samples(MAX_KERNEL_ROWS, same_size=not unbiased)
    a, b = source.features, target.features
    n, m = len(a), len(b)
    cross = 2.0 * _sum(a, b) / (n * m)
    left_out = 1 if unbiased else 0
    within = _sum(a, a) / (n * (n - left_out)) + _sum(b, b) / (m * (m - left_out))
    value = cross - within
    value = value if unbiased else without_rounding(value, cross, 64)
    return checked(value * unit, "energy")


def _sum(a: NDArray[np.float64], b: NDArray[np.float64]) -> float:
    return float(sum(np.sqrt(squared).sum() for _, squared in distance_blocks(a, b)))


INFO = DistanceInfo(
    name="energy",
    tells="how much farther rows lie from the other sample than from their own",
    range="at least 0",
    unit="feature",
    paper="Székely & Rizzo (2013), Energy statistics: A class of statistics based on distances, "
    "Journal of Statistical Planning and Inference 143",
    bibtex="""@article{szekely2013energy,
  title = {Energy Statistics: A Class of Statistics Based on Distances},
  author = {Sz{\\'e}kely, G{\\'a}bor J. and Rizzo, Maria L.},
  journal = {Journal of Statistical Planning and Inference},
  volume = {143},
  number = {8},
  pages = {1249--1272},
  year = {2013}
}""",
    compute=energy_distance_of_pair,
    rests_on="samples",
    max_rows=MAX_KERNEL_ROWS,
)
