"""Proxy A-distance: how well a classifier tells the two samples apart on unseen rows."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from transferscore.distances.domain_classifier import (
    checked_folds,
    held_out_margins,
    seeded_folds,
)
from transferscore.distances.fingerprint import Fingerprint
from transferscore.distances.info import DistanceInfo
from transferscore.distances.pair import MAX_TRANSPORT_ROWS, Pair

__all__ = ["INFO", "proxy_a", "proxy_a_of_pair"]


def proxy_a(
    source_features: ArrayLike | Fingerprint,
    target_features: ArrayLike | Fingerprint,
    *,
    folds: ArrayLike | None = None,
    clip: bool = True,
    seed: int = 0,
) -> float:
    r"""Tell how well a linear classifier tells target rows from source rows that it has not seen.

    .. math:: 2 (1 - 2 \epsilon), with the held-out error epsilon of logistic regression (C = 1) on
              features standardised over both samples.

    Says whether the two can be told apart, not how far apart they are: it stops at 2 early. With
    unequal numbers of rows a classifier that always names the larger side already has a low error.

    Args:
        source_features: `(n_source, d)`, or a fingerprint (its coreset is compared).
        target_features: `(n_target, d)`, or a fingerprint.
        folds: `(n_source + n_target,)` the fold in which each row is held out, source rows first;
            by default five seeded folds with equal shares of both sides.
        clip: Show a classifier worse than chance as 0.
        seed: Of the folds and, where a side has more than 2,000 rows, of the rows drawn, as many on
            both sides.

    Returns:
        In [0, 2] (in [-2, 2] unless clipped); 0 for samples that cannot be told apart.

    Raises:
        InputError: Shapes do not match, a value is not finite, one row only, or folds that leave a
            side empty.

    References:
        Ben-David et al. (2006), Analysis of representations for domain adaptation, NeurIPS.

    Examples:
        >>> proxy_a([[0], [1], [2], [3]], [[10], [11], [12], [13]])
        2.0
    """
    value = proxy_a_of_pair(Pair(source_features, target_features, seed=seed), folds)
    return max(0.0, value) if clip else value


def proxy_a_of_pair(pair: Pair, folds: ArrayLike | None = None) -> float:
    """Proxy A-distance of a checked pair, not clipped; see `proxy_a`."""
    pair.check_two_rows("proxy_a")
    limit = MAX_TRANSPORT_ROWS
    if folds is not None:
        limit = max(len(pair.source.features), len(pair.target.features))
    source, target, _ = pair.samples(limit, same_size=True)
    n, m = len(source), len(target)
    held_in = seeded_folds(n, m, pair.seed) if folds is None else checked_folds(folds, n, m)
    margins = held_out_margins(source.features, target.features, held_in)
    wrong = np.count_nonzero(margins[:n] > 0.0) + np.count_nonzero(margins[n:] <= 0.0)
    return float(2.0 * (1.0 - 2.0 * wrong / (n + m)))


INFO = DistanceInfo(
    name="proxy_a",
    tells="how well a linear classifier tells target rows from source rows it has not seen",
    range="0 to 2 (the estimate itself may be negative)",
    unit="1",
    paper="Ben-David et al. (2006), Analysis of representations for domain adaptation, NeurIPS",
    bibtex="""@inproceedings{bendavid2006analysis,
  title = {Analysis of Representations for Domain Adaptation},
  author = {Ben-David, Shai and Blitzer, John and Crammer, Koby and Pereira, Fernando},
  booktitle = {Advances in Neural Information Processing Systems},
  year = {2006}
}""",
    compute=proxy_a_of_pair,
    rests_on="samples",
    max_rows=MAX_TRANSPORT_ROWS,
)
