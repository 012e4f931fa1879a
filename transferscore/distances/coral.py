"""CORAL: how far apart the two samples' covariances are, whatever their means."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from transferscore.distances.fingerprint import Fingerprint
from transferscore.distances.info import DistanceInfo, checked
from transferscore.distances.pair import Pair
from transferscore.statistics.rows import row_blocks

__all__ = ["INFO", "coral", "coral_of_pair"]


def coral(
    source_features: ArrayLike | Fingerprint, target_features: ArrayLike | Fingerprint
) -> float:
    r"""Tell how differently the features vary together, whatever their means.

    .. math:: \lVert C_s - C_t \rVert_F^2 / (4 d^2), covariances with divisor n - 1.

    Args:
        source_features: `(n_source, d)`, or a fingerprint (exact, from its moments).
        target_features: `(n_target, d)`, or a fingerprint.

    Returns:
        At least 0, in features to the fourth power; 0 for equal covariances.

    Raises:
        InputError: Shapes do not match, a value is not finite, or one row only.

    References:
        Sun & Saenko (2016), Deep CORAL: Correlation alignment for deep domain adaptation, ECCV
        workshops.

    Examples:
        >>> a = [[1, 0], [2, 1], [0, 1], [1, 2], [3, 1]]
        >>> round(coral(a, [[4, 0], [5, 1], [3, 2]]), 6)
        0.0525
    """
    return coral_of_pair(Pair(source_features, target_features))


def coral_of_pair(pair: Pair) -> float:
    """CORAL of a checked pair; see `coral`."""
    source, target = (gaussian.factor for gaussian in pair.spread_gaussians("coral"))
    d, total = source.shape[1], 0.0
    with np.errstate(over="ignore", invalid="ignore"):
        # A block of rows of the difference at a time: it is never formed whole.
        for rows in row_blocks(d, d):
            difference = source[:, rows].T @ source - target[:, rows].T @ target
            total += float(np.vdot(difference, difference))
        return checked(total / (4.0 * d * d), "coral")


INFO = DistanceInfo(
    name="coral",
    tells="how differently the features vary together, whatever their means",
    range="at least 0",
    unit="feature^4",
    paper="Sun & Saenko (2016), Deep CORAL: Correlation alignment for deep domain adaptation, "
    "ECCV workshops",
    bibtex="""@inproceedings{sun2016deepcoral,
  title = {Deep {CORAL}: Correlation Alignment for Deep Domain Adaptation},
  author = {Sun, Baochen and Saenko, Kate},
  booktitle = {European Conference on Computer Vision Workshops},
  year = {2016}
}""",
    compute=coral_of_pair,
    rests_on="moments",
)
