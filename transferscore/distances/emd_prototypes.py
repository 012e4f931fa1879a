"""Prototype EMD: the way that class means must move, classes weighted by their size."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from transferscore.distances.fingerprint import Fingerprint
from transferscore.distances.info import DistanceInfo, checked
from transferscore.distances.pair import Pair
from transferscore.distances.pairwise import squared_distances
from transferscore.distances.transport import transport_cost
from transferscore.errors import InputError

__all__ = ["INFO", "emd_prototypes", "emd_prototypes_of_pair", "prototype_similarity"]


def emd_prototypes(
    source_features: ArrayLike | Fingerprint,
    target_features: ArrayLike | Fingerprint,
    *,
    source_labels: ArrayLike | None = None,
    target_labels: ArrayLike | None = None,
) -> float:
    r"""Tell how far the target's classes lie from the source's classes that are nearest to them.

    .. math:: \min_{P \ge 0} \sum_{kl} P_{kl} |\mu_k - \mu_l|, \quad
              P 1 = n_k / n, \; P^T 1 = m_l / m

    Args:
        source_features: `(n_source, d)`, or a fingerprint (exact, from its prototypes).
        target_features: `(n_target, d)`, or a fingerprint.
        source_labels: `(n_source,)` classes of any type; a fingerprint brings its own.
        target_labels: `(n_target,)`, likewise.

    Returns:
        At least 0, in feature units; 0 for equal class means and shares.

    Raises:
        InputError: Shapes do not match, a value is not finite, or labels are missing.
        MissingExtraError: POT is not installed.

    References:
        Cui et al. (2018), Large scale fine-grained categorization and domain-specific transfer
        learning, CVPR.

    Examples:
        >>> x, y = [[0], [2], [10], [10]], [0, 0, 1, 1]
        >>> round(emd_prototypes(x, [[4], [9]], source_labels=y, target_labels=[0, 1]), 6)
        2.0
    """
    pair = Pair(
        source_features, target_features, source_labels=source_labels, target_labels=target_labels
    )
    return emd_prototypes_of_pair(pair)


def prototype_similarity(
    source_features: ArrayLike | Fingerprint,
    target_features: ArrayLike | Fingerprint,
    *,
    source_labels: ArrayLike | None = None,
    target_labels: ArrayLike | None = None,
    gamma: float = 0.01,
) -> float:
    """The paper's domain similarity exp(-gamma `emd_prototypes`), in (0, 1]."""
    value = emd_prototypes(
        source_features, target_features, source_labels=source_labels, target_labels=target_labels
    )
    return float(np.exp(-gamma * value))


def emd_prototypes_of_pair(pair: Pair) -> float:
    """Prototype EMD of a checked pair; see `emd_prototypes`."""
    source, target = pair.source.prototypes(), pair.target.prototypes()
    if source is None or target is None:
        side = "source" if source is None else "target"
        raise InputError(
            f"The distance emd_prototypes needs class labels on both sides; `{side}_labels` is "
            "missing."
        )
    center = 0.5 * source.means.mean(axis=0) + 0.5 * target.means.mean(axis=0)
    a, b = source.means - center, target.means - center
    unit = max(float(np.abs(a).max()), float(np.abs(b).max())) or 1.0
    cost = np.sqrt(squared_distances(a / unit, b / unit))
    value = transport_cost(cost, source.weights, target.weights, "emd_prototypes")
    return checked(value * unit, "emd_prototypes")


INFO = DistanceInfo(
    name="emd_prototypes",
    tells="how far the target's classes lie from the source classes nearest to them",
    range="at least 0",
    unit="feature",
    paper="Cui et al. (2018), Large scale fine-grained categorization and domain-specific transfer "
    "learning, CVPR",
    bibtex="""@inproceedings{cui2018large,
  title = {Large Scale Fine-Grained Categorization and Domain-Specific Transfer Learning},
  author = {Cui, Yin and Song, Yang and Sun, Chen and Howard, Andrew and Belongie, Serge},
  booktitle = {IEEE/CVF Conference on Computer Vision and Pattern Recognition},
  year = {2018}
}""",
    compute=emd_prototypes_of_pair,
    rests_on="prototypes",
    needs_labels=True,
    extra="ot",
)
