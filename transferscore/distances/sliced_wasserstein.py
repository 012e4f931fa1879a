"""Sliced Wasserstein distance: optimal transport along random directions."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from transferscore.distances.fingerprint import Fingerprint
from transferscore.distances.info import DistanceInfo, checked
from transferscore.distances.pair import MAX_KERNEL_ROWS, Pair
from transferscore.errors import InputError
from transferscore.statistics.rows import check_features, row_blocks

__all__ = ["INFO", "sliced_wasserstein", "sliced_wasserstein_of_pair"]

_N_PROJECTIONS = 128


def sliced_wasserstein(
    source_features: ArrayLike | Fingerprint,
    target_features: ArrayLike | Fingerprint,
    *,
    p: float = 2.0,
    projections: ArrayLike | None = None,
    seed: int = 0,
) -> float:
    r"""Tell how far rows must move, one direction at a time, to turn one sample into the other.

    .. math:: \left(\mathrm{mean}_\theta \int_0^1
              |F_{s,\theta}^{-1}(q) - F_{t,\theta}^{-1}(q)|^p dq\right)^{1/p}

    Exact along each direction for unequal numbers of rows too. The estimate shrinks as rows are
    added: compare values at equal numbers of rows.

    Args:
        source_features: `(n_source, d)`, or a fingerprint (its coreset is compared).
        target_features: `(n_target, d)`, or a fingerprint.
        p: Order, at least 1.
        projections: `(d, n_projections)` directions, used as they are; by default 128 unit vectors.
        seed: Of the directions and, where a side has more than 5,000 rows, of the rows drawn, as
            many on both sides.

    Returns:
        At least 0, in feature units; 0 for a sample and itself.

    Raises:
        InputError: Shapes do not match, a value is not finite, or p is below 1.

    References:
        Bonneel et al. (2015), Sliced and Radon Wasserstein barycenters of measures, J. Mathematical
        Imaging and Vision 51.

    Examples:
        >>> sliced_wasserstein([[0], [1]], [[3], [4], [2], [5]], p=1, projections=[[1]])
        3.0
    """
    pair = Pair(source_features, target_features, seed=seed)
    return sliced_wasserstein_of_pair(pair, p, projections)


def sliced_wasserstein_of_pair(
    pair: Pair, p: float = 2.0, projections: ArrayLike | None = None
) -> float:
    """Sliced Wasserstein distance of a checked pair; see `sliced_wasserstein`."""
    if not 1.0 <= p < np.inf:
        raise InputError(f"`p` must be at least 1 and finite; got {p}.")
    source, target, unit = pair.samples(MAX_KERNEL_ROWS, same_size=True)
    a, b = source.features, target.features
    directions = _directions(projections, a.shape[1], pair.seed)
    places_a, places_b, weights = _matching(len(a), len(b))
    total = 0.0
    for columns in row_blocks(directions.shape[1], len(weights)):
        sorted_a = np.sort(a @ directions[:, columns], axis=0)
        sorted_b = np.sort(b @ directions[:, columns], axis=0)
        total += float((weights @ np.abs(sorted_a[places_a] - sorted_b[places_b]) ** p).sum())
    value: float = (total / directions.shape[1]) ** (1.0 / p)
    return checked(value * unit, "sliced_wasserstein")


def _directions(projections: ArrayLike | None, d: int, seed: int) -> NDArray[np.float64]:
    if projections is None:
        drawn = np.random.default_rng(seed).standard_normal((d, _N_PROJECTIONS))
        unit_columns: NDArray[np.float64] = drawn / np.linalg.norm(drawn, axis=0)
        return unit_columns
    given = check_features(projections, "projections").astype(np.float64)
    if len(given) != d:
        raise InputError(f"`projections` must have one row per feature ({d}); got {len(given)}.")
    return given


def _matching(n: int, m: int) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
    """Which sorted row of either side each stretch of quantiles falls on, and how long it is."""
    # Quantiles in units of 1 / (n m) are whole numbers: no rounding splits a stretch in two.
    ends = np.union1d(np.arange(1, n + 1) * m, np.arange(1, m + 1) * n)
    lengths = np.diff(ends, prepend=0)
    return (ends - 1) // m, (ends - 1) // n, lengths / (n * m)


INFO = DistanceInfo(
    name="sliced_wasserstein",
    tells="how far rows must move, one random direction at a time, to become the other sample",
    range="at least 0",
    unit="feature",
    paper="Bonneel et al. (2015), Sliced and Radon Wasserstein barycenters of measures, Journal of "
    "Mathematical Imaging and Vision 51",
    bibtex="""@article{bonneel2015sliced,
  title = {Sliced and {Radon} {Wasserstein} Barycenters of Measures},
  author = {Bonneel, Nicolas and Rabin, Julien and Peyr{\\'e}, Gabriel and Pfister, Hanspeter},
  journal = {Journal of Mathematical Imaging and Vision},
  volume = {51},
  pages = {22--45},
  year = {2015}
}""",
    compute=sliced_wasserstein_of_pair,
    rests_on="samples",
    max_rows=MAX_KERNEL_ROWS,
)
