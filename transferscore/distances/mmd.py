"""MMD: whether any smooth function has another mean on the target than on the source."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from transferscore.distances.fingerprint import Fingerprint
from transferscore.distances.info import DistanceInfo, checked
from transferscore.distances.kernel_means import unbiased_discrepancy
from transferscore.distances.pair import MAX_KERNEL_ROWS, Pair, Sample, seeded_rows
from transferscore.distances.pairwise import squared_distances
from transferscore.errors import InputError

__all__ = ["INFO", "median_distance", "mmd", "mmd_of_pair"]

_FACTORS = (0.5, 1.0, 2.0)
_MEDIAN_ROWS = 1000


def mmd(
    source_features: ArrayLike | Fingerprint,
    target_features: ArrayLike | Fingerprint,
    *,
    sigma: float | ArrayLike | None = None,
    clip: bool = True,
    seed: int = 0,
) -> float:
    r"""Tell whether any smooth function of the features averages differently on the two samples.

    .. math:: \overline{k(x, x')} + \overline{k(y, y')} - 2 \overline{k(x, y)}, \quad
              k(x, y) = \mathrm{mean}_\sigma \exp(-|x - y|^2 / 2 \sigma^2)

    The squared form, unbiased: no row is compared with itself. Its expectation does not depend on
    the numbers of rows.

    Args:
        source_features: `(n_source, d)`, or a fingerprint (its coreset is compared).
        target_features: `(n_target, d)`, or a fingerprint.
        sigma: Bandwidth or bandwidths, in feature units; by default 0.5, 1 and 2 times the median
            distance within the pooled sample (of at most 1,000 rows a side).
        clip: Show a negative estimate, which means no difference found, as 0.
        seed: Of the rows drawn where a side has more than 5,000.

    Returns:
        At most 2, without unit; about 0 (negative half the time, unless clipped) for samples of one
        distribution, and negative for a sample and itself.

    Raises:
        InputError: Shapes do not match, a value is not finite, one row only, or a bandwidth is not
            positive.

    References:
        Gretton et al. (2012), A kernel two-sample test, JMLR 13; several bandwidths: Long et al.
        (2015), Learning transferable features with deep adaptation networks, ICML.

    Examples:
        >>> a = [[1, 0], [2, 1], [0, 1], [1, 2], [3, 1]]
        >>> round(mmd(a, [[4, 0], [5, 1], [3, 2]]), 6)
        0.312461
        >>> round(mmd(a, a, sigma=1.0, clip=False), 6)
        -0.29904
    """
    pair = Pair(source_features, target_features, seed=seed)
    value = mmd_of_pair(pair, sigma)
    return max(0.0, value) if clip else value


def mmd_of_pair(pair: Pair, sigma: float | ArrayLike | None = None) -> float:
    """Unbiased squared MMD of a checked pair, not clipped; see `mmd`."""
    pair.check_two_rows("mmd")
    source, target, unit = pair.samples(MAX_KERNEL_ROWS, same_size=False)
    sigmas = _bandwidths(sigma, source, target, unit)
    if not sigmas.all():
        return 0.0

    def kernel(a: NDArray[np.float64], b: NDArray[np.float64]) -> NDArray[np.float64]:
        squared = squared_distances(a, b)
        total = np.zeros_like(squared)
        for width in sigmas:
            total += np.exp(squared * (-0.5 / width**2))
        return total / len(sigmas)

    return checked(unbiased_discrepancy(source.features, target.features, kernel), "mmd")


def _bandwidths(
    sigma: float | ArrayLike | None, source: Sample, target: Sample, unit: float
) -> NDArray[np.float64]:
    if sigma is None:
        return np.array(_FACTORS) * median_distance(source, target)
    sigmas = np.atleast_1d(np.asarray(sigma, dtype=np.float64))
    if sigmas.ndim != 1 or not len(sigmas) or not (np.isfinite(sigmas) & (sigmas > 0.0)).all():
        raise InputError(f"`sigma` must be positive bandwidths; got {sigma!r}.")
    return sigmas / unit


def median_distance(source: Sample, target: Sample) -> float:
    """Median distance between rows of the pooled sample; 0 only if all rows are the same.

    Where more than half the rows coincide, the root mean square takes the median's place.
    """
    parts = [s.features[seeded_rows(len(s), _MEDIAN_ROWS, seed=0)] for s in (source, target)]
    pooled = np.concatenate(parts)
    squared = squared_distances(pooled, pooled)[np.triu_indices(len(pooled), 1)]
    # The median of the distances, not the root of the median square: they differ for even counts.
    median = float(np.median(np.sqrt(squared)))
    return median if median > 0.0 else float(np.sqrt(squared.mean()))


INFO = DistanceInfo(
    name="mmd",
    tells="whether any smooth function of the features averages differently on the two samples",
    range="0 to 2 (unbiased: the estimate itself may be slightly negative)",
    unit="1",
    paper="Gretton et al. (2012), A kernel two-sample test, JMLR 13",
    bibtex="""@article{gretton2012kernel,
  title = {A Kernel Two-Sample Test},
  author = {Gretton, Arthur and Borgwardt, Karsten M. and Rasch, Malte J. and Sch{\\"o}lkopf,
            Bernhard and Smola, Alexander},
  journal = {Journal of Machine Learning Research},
  volume = {13},
  pages = {723--773},
  year = {2012}
}""",
    compute=mmd_of_pair,
    rests_on="samples",
    max_rows=MAX_KERNEL_ROWS,
)
