"""OTDD: how far labelled rows must move when a class, too, costs its distance to become another."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from transferscore.distances.fingerprint import Fingerprint
from transferscore.distances.gaussian import Gaussian, gaussian_of
from transferscore.distances.info import DistanceInfo, checked, without_rounding
from transferscore.distances.pair import MAX_TRANSPORT_ROWS, Pair, Sample
from transferscore.distances.pairwise import squared_distances
from transferscore.distances.transport import transport_cost
from transferscore.errors import InputError

__all__ = ["INFO", "class_distances", "otdd", "otdd_of_pair"]


def otdd(
    source_features: ArrayLike | Fingerprint,
    target_features: ArrayLike | Fingerprint,
    *,
    source_labels: ArrayLike | None = None,
    target_labels: ArrayLike | None = None,
    seed: int = 0,
) -> float:
    r"""Tell how far two labelled datasets are apart, though their classes have no name in common.

    .. math:: \left(\min_{P \ge 0} \sum_{ij} P_{ij} \left(|x_i - x'_j|^2 +
              W_2^2(\alpha_{y_i}, \alpha_{y'_j})\right)\right)^{1/2}

    with uniform marginals; the distance of two classes is the 2-Wasserstein distance of the
    Gaussians with their means and covariances (divisor n_c - 1; a class of one row is a point).
    The outer transport is exact.

    Args:
        source_features: `(n_source, d)`, or a fingerprint (its coreset is compared).
        target_features: `(n_target, d)`, or a fingerprint.
        source_labels: `(n_source,)` classes of any type; a fingerprint brings its own.
        target_labels: `(n_target,)`, likewise.
        seed: Of the rows drawn, as many on both sides, where one has more than 2,000.

    Returns:
        At least 0, in feature units; 0 for a sample and itself.

    Raises:
        InputError: Shapes do not match, a value is not finite, or labels are missing.
        MissingExtraError: POT is not installed.

    References:
        Alvarez-Melis & Fusi (2020), Geometric dataset distances via optimal transport, NeurIPS.

    Examples:
        >>> x, y = [[0], [2], [10], [12]], [0, 0, 1, 1]
        >>> round(otdd(x, [[3], [5], [13], [15]], source_labels=y, target_labels=y), 6)
        4.242641
    """
    pair = Pair(
        source_features,
        target_features,
        source_labels=source_labels,
        target_labels=target_labels,
        seed=seed,
    )
    return otdd_of_pair(pair)


def otdd_of_pair(pair: Pair) -> float:
    """OTDD of a checked pair; see `otdd`."""
    if not pair.has_labels:
        side = "source" if pair.source.codes is None else "target"
        raise InputError(
            f"The distance otdd needs class labels on both sides; `{side}_labels` is missing."
        )
    source, target, unit = pair.samples(MAX_TRANSPORT_ROWS, same_size=True)
    cost = squared_distances(source.features, target.features)
    groups_s, groups_t = _groups(source), _groups(target)
    between = class_distances(
        [gaussian_of(source.features[rows]) for rows in groups_s],
        [gaussian_of(target.features[rows]) for rows in groups_t],
    )
    cost += between[_ranks(groups_s, len(source))][:, _ranks(groups_t, len(target))]
    return checked(np.sqrt(transport_cost(cost, None, None, "otdd")) * unit, "otdd")


def class_distances(source: list[Gaussian], target: list[Gaussian]) -> NDArray[np.float64]:
    """`(K, L)` squared 2-Wasserstein distances between the Gaussians of the classes."""
    gaps = squared_distances(
        np.array([gaussian.mean for gaussian in source]),
        np.array([gaussian.mean for gaussian in target]),
    )
    traces = np.add.outer([g.trace for g in source], [g.trace for g in target])
    for k, a in enumerate(source):
        # One product with all classes of the other side; a nuclear norm each is left.
        products = a.factor @ np.concatenate([b.factor for b in target]).T
        ends = np.cumsum([len(b.factor) for b in target])
        for j, product in enumerate(np.split(products, ends[:-1], axis=1)):
            common = float(np.linalg.svd(product, compute_uv=False).sum())
            spread = traces[k, j] - 2.0 * common
            gaps[k, j] += without_rounding(spread, traces[k, j], len(a.mean) + 8)
    return gaps


def _groups(sample: Sample) -> list[NDArray[np.int64]]:
    """Rows of each class that the sample still shows."""
    codes = np.zeros(len(sample), dtype=np.int64) if sample.codes is None else sample.codes
    order = np.argsort(codes, kind="stable")
    return np.split(order, np.flatnonzero(np.diff(codes[order])) + 1)


def _ranks(groups: list[NDArray[np.int64]], n: int) -> NDArray[np.int64]:
    ranks = np.empty(n, dtype=np.int64)
    ranks[np.concatenate(groups)] = np.repeat(np.arange(len(groups)), [len(g) for g in groups])
    return ranks


INFO = DistanceInfo(
    name="otdd",
    tells="how far two labelled datasets are apart, though their classes share no names",
    range="at least 0",
    unit="feature",
    paper="Alvarez-Melis & Fusi (2020), Geometric dataset distances via optimal transport, NeurIPS",
    bibtex="""@inproceedings{alvarezmelis2020geometric,
  title = {Geometric Dataset Distances via Optimal Transport},
  author = {Alvarez-Melis, David and Fusi, Nicol{\\`o}},
  booktitle = {Advances in Neural Information Processing Systems},
  year = {2020}
}""",
    compute=otdd_of_pair,
    rests_on="samples",
    max_rows=MAX_TRANSPORT_ROWS,
    needs_labels=True,
    extra="ot",
)
