"""KID: the maximum mean discrepancy with a cubic kernel, as generated images are judged by."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from transferscore.distances.fingerprint import Fingerprint
from transferscore.distances.info import DistanceInfo, checked
from transferscore.distances.kernel_means import unbiased_discrepancy
from transferscore.distances.pair import MAX_KERNEL_ROWS, Pair, seeded_rows

__all__ = ["INFO", "kid", "kid_of_pair"]


def kid(
    source_features: ArrayLike | Fingerprint,
    target_features: ArrayLike | Fingerprint,
    *,
    clip: bool = True,
    seed: int = 0,
) -> float:
    r"""Tell how far apart the samples' first three moments are, without a Gaussian assumption.

    .. math:: \overline{k(x, x')} + \overline{k(y, y')} - 2 \overline{k(x, y)}, \quad
              k(x, y) = (x^T y / d + 1)^3

    Unbiased, over all rows (no subsets). It depends on origin and unit of the features: meant for
    activations of order 1.

    Args:
        source_features: `(n_source, d)`, or a fingerprint (its coreset is compared).
        target_features: `(n_target, d)`, or a fingerprint.
        clip: Show a negative estimate, which means no difference found, as 0.
        seed: Of the rows drawn where a side has more than 5,000.

    Returns:
        Unbounded above; about 0 (negative half the time, unless clipped) for samples of one
        distribution, and negative for a sample and itself.

    Raises:
        InputError: Shapes do not match, a value is not finite, one row only, or features so large
            that their sixth power leaves float64.

    References:
        Bińkowski et al. (2018), Demystifying MMD GANs, ICLR.

    Examples:
        >>> a = [[1, 0], [2, 1], [0, 1], [1, 2], [3, 1]]
        >>> round(kid(a, [[4, 0], [5, 1], [3, 2]]), 6)
        573.716667
    """
    value = kid_of_pair(Pair(source_features, target_features, seed=seed))
    return max(0.0, value) if clip else value


def kid_of_pair(pair: Pair) -> float:
    """KID of a checked pair, not clipped; see `kid`."""
    pair.check_two_rows("kid")
    source, target = (
        side.features[seeded_rows(len(side.features), MAX_KERNEL_ROWS, pair.seed)]
        for side in (pair.source, pair.target)
    )
    # Not centred: the kernel depends on where the origin is.
    with np.errstate(over="ignore", invalid="ignore"):
        value = unbiased_discrepancy(source.astype(np.float64), target.astype(np.float64), _cubic)
    return checked(value, "kid")


def _cubic(a: NDArray[np.float64], b: NDArray[np.float64]) -> NDArray[np.float64]:
    base = a @ b.T
    base /= a.shape[1]
    base += 1.0
    cubed: NDArray[np.float64] = base * base * base
    return cubed


INFO = DistanceInfo(
    name="kid",
    tells="how far apart the first three moments are, without a Gaussian assumption",
    range="at least 0 (unbiased: the estimate itself may be slightly negative)",
    unit="up to feature^6",
    paper="Bińkowski et al. (2018), Demystifying MMD GANs, ICLR",
    bibtex="""@inproceedings{binkowski2018demystifying,
  title = {Demystifying {MMD} {GAN}s},
  author = {Bi{\\'n}kowski, Miko{\\l}aj and Sutherland, Danica J. and Arbel, Michael and Gretton,
            Arthur},
  booktitle = {International Conference on Learning Representations},
  year = {2018}
}""",
    compute=kid_of_pair,
    rests_on="samples",
    max_rows=MAX_KERNEL_ROWS,
)
