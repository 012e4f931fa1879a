"""Cosine distance of the means: do both samples point the same way from the origin."""

from __future__ import annotations

import warnings

import numpy as np
from numpy.typing import ArrayLike, NDArray

from transferscore.distances.fingerprint import Fingerprint
from transferscore.distances.info import DistanceInfo
from transferscore.distances.pair import Pair

__all__ = ["INFO", "mean_cosine", "mean_cosine_of_pair", "mean_cosine_similarity"]


def mean_cosine(
    source_features: ArrayLike | Fingerprint, target_features: ArrayLike | Fingerprint
) -> float:
    r"""Tell whether the two means point the same way from the origin, whatever their lengths.

    .. math:: 1 - \frac{\mu_s^T \mu_t}{|\mu_s| |\mu_t|}

    Features that are never negative (after a ReLU) have small values whatever the data.

    Args:
        source_features: `(n_source, d)`, or a fingerprint (exact, from its moments).
        target_features: `(n_target, d)`, or a fingerprint.

    Returns:
        In [0, 2]; 0 for the same direction, 1 for orthogonal means. Against a mean of exactly zero,
        which has no direction, 1 with a warning; 0 between two of them.

    Raises:
        InputError: Shapes do not match, or a value is not finite.

    References:
        Salton & McGill (1983), Introduction to modern information retrieval, McGraw-Hill.

    Examples:
        >>> mean_cosine([[1, 0], [3, 0]], [[0, 1], [0, 5]])
        1.0
    """
    return mean_cosine_of_pair(Pair(source_features, target_features))


def mean_cosine_similarity(
    source_features: ArrayLike | Fingerprint, target_features: ArrayLike | Fingerprint
) -> float:
    """The cosine of the angle between the means, 1 - `mean_cosine`, in [-1, 1]."""
    return 1.0 - mean_cosine(source_features, target_features)


def mean_cosine_of_pair(pair: Pair) -> float:
    """Cosine distance of the means of a checked pair; see `mean_cosine`."""
    source, target = (_direction(mean) for mean in pair.means)
    if source is None and target is None:
        return 0.0
    if source is None or target is None:
        side = "source" if source is None else "target"
        warnings.warn(
            f"The mean of `{side}_features` is zero and has no direction: mean_cosine is 1, "
            "as for orthogonal means.",
            RuntimeWarning,
            stacklevel=3,
        )
        return 1.0
    gap = source - target
    # Half the squared chord: 1 - cosine would lose every digit of a small angle.
    return min(2.0, 0.5 * float(gap @ gap))


def _direction(mean: NDArray[np.float64]) -> NDArray[np.float64] | None:
    largest = float(np.abs(mean).max())
    if largest == 0.0:
        return None
    scaled = mean / largest
    unit: NDArray[np.float64] = scaled / np.linalg.norm(scaled)
    return unit


INFO = DistanceInfo(
    name="mean_cosine",
    tells="whether the means point the same way from the origin, whatever their lengths",
    range="0 to 2",
    unit="1",
    paper="Salton & McGill (1983), Introduction to modern information retrieval, McGraw-Hill",
    bibtex="""@book{salton1983introduction,
  title = {Introduction to Modern Information Retrieval},
  author = {Salton, Gerard and McGill, Michael J.},
  publisher = {McGraw-Hill},
  year = {1983}
}""",
    compute=mean_cosine_of_pair,
    rests_on="moments",
)
