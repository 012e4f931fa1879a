"""Distance of the means: the plainest of all."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from transferscore.distances.fingerprint import Fingerprint
from transferscore.distances.info import DistanceInfo, checked
from transferscore.distances.pair import Pair

__all__ = ["INFO", "mean_distance", "mean_distance_of_pair"]


def mean_distance(
    source_features: ArrayLike | Fingerprint, target_features: ArrayLike | Fingerprint
) -> float:
    r"""Tell how far apart the two samples' means are; blind to everything else.

    .. math:: |\mu_s - \mu_t|

    Args:
        source_features: `(n_source, d)`, or a fingerprint (exact, from its moments).
        target_features: `(n_target, d)`, or a fingerprint.

    Returns:
        At least 0, in feature units.

    Raises:
        InputError: Shapes do not match, or a value is not finite.

    References:
        Gretton et al. (2012), A kernel two-sample test, JMLR 13: the maximum mean discrepancy with
        a linear kernel.

    Examples:
        >>> mean_distance([[1, 0], [2, 1], [0, 2]], [[4, 4], [4, 6]])
        5.0
    """
    return mean_distance_of_pair(Pair(source_features, target_features))


def mean_distance_of_pair(pair: Pair) -> float:
    """Distance of the means of a checked pair; see `mean_distance`."""
    source, target = pair.means
    gap = source - target
    # Squares of huge or tiny gaps would leave the range of float64.
    largest = float(np.abs(gap).max())
    length = largest * float(np.linalg.norm(gap / largest)) if largest > 0.0 else 0.0
    return checked(length, "mean_distance")


INFO = DistanceInfo(
    name="mean_distance",
    tells="how far apart the means are; blind to everything else",
    range="at least 0",
    unit="feature",
    paper="Gretton et al. (2012), A kernel two-sample test, JMLR 13 (linear kernel)",
    bibtex="""@article{gretton2012kernel,
  title = {A Kernel Two-Sample Test},
  author = {Gretton, Arthur and Borgwardt, Karsten M. and Rasch, Malte J. and Sch{\\"o}lkopf,
            Bernhard and Smola, Alexander},
  journal = {Journal of Machine Learning Research},
  volume = {13},
  pages = {723--773},
  year = {2012}
}""",
    compute=mean_distance_of_pair,
    rests_on="moments",
)
