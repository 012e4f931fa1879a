"""The permutation null: what a distance shows between samples that differ by chance alone."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from transferscore.distances.fingerprint import Fingerprint
from transferscore.distances.info import DistanceInfo
from transferscore.distances.pair import Pair
from transferscore.distances.registry import distances_named
from transferscore.errors import InputError

__all__ = ["MAX_NULL_ROWS", "PermutationNull", "permutation_null"]

MAX_NULL_ROWS = 500


@dataclass(frozen=True, slots=True)
class PermutationNull:
    """A distance beside its values under random re-division of the pooled rows.

    Attributes:
        name: Of the distance.
        value: Between the two samples, as estimated: not clipped at 0.
        null: `(n_permutations,)` values under re-division, ascending.
        n_rows: Rows a side that `value` and `null` were computed on.
    """

    name: str
    value: float
    null: NDArray[np.float64]
    n_rows: int

    @property
    def p_value(self) -> float:
        """Share of divisions, this one included, at least as far apart; in (0, 1]."""
        return (1 + int(np.count_nonzero(self.null >= self.value))) / (1 + len(self.null))

    @property
    def deviations(self) -> float:
        """How many standard deviations of the null the value stands above its mean."""
        gap = self.value - float(self.null.mean())
        spread = float(self.null.std())
        if spread == 0.0:
            return 0.0 if gap == 0.0 else float(np.copysign(np.inf, gap))
        return gap / spread

    def quantile(self, share: float = 0.95) -> float:
        """The value that this share of the null stays below."""
        return float(np.quantile(self.null, share))


def permutation_null(
    name: str,
    source_features: ArrayLike | Fingerprint,
    target_features: ArrayLike | Fingerprint,
    n_permutations: int = 100,
    seed: int = 0,
    *,
    labels: tuple[ArrayLike | None, ArrayLike | None] = (None, None),
) -> PermutationNull:
    """Tell whether a distance is more than the samples' chance makes it.

    The pooled rows are divided anew at random, as many a side as before, and the distance taken
    each time. Both sides are cut to the same number of rows, at most 500, first.

    Args:
        name: Of the distance.
        source_features: `(n_source, d)`, or a fingerprint (its coreset is compared, whatever the
            distance rests on).
        target_features: `(n_target, d)`, or a fingerprint.
        n_permutations: Number of divisions; the smallest p-value is 1 / (1 + n_permutations).
        seed: Of the rows drawn and the divisions.
        labels: Source and target labels, for distances that need them; rows keep theirs.

    Returns:
        The value on those rows and its null.

    Raises:
        InputError: As for the distance itself; or no permutations.
        UnknownNameError: No distance of that name.

    References:
        Gretton et al. (2012), A kernel two-sample test, JMLR 13.

    Examples:
        >>> null = permutation_null("energy", [[0], [1], [2], [3]], [[7], [8], [9], [6]])
        >>> null.value > null.quantile(0.95), null.p_value < 0.05
        (True, True)
    """
    if n_permutations < 1:
        raise InputError(f"`n_permutations` must be at least 1; got {n_permutations}.")
    info = distances_named(name)[0]
    pair = Pair(
        source_features,
        target_features,
        source_labels=labels[0],
        target_labels=labels[1],
        seed=seed,
    )
    return _null(info, pair, pair.equal_rows(MAX_NULL_ROWS), n_permutations)


def _null(
    info: DistanceInfo,
    pair: Pair,
    rows: tuple[NDArray[np.int64], NDArray[np.int64]],
    n_permutations: int,
) -> PermutationNull:
    sides = (pair.source.take(rows[0]), pair.target.take(rows[1]))
    n = len(rows[0])
    pooled = np.concatenate([side.features for side in sides])
    codes = None
    if pair.has_labels:
        # Source and target classes stay apart: the same id means nothing across the sides.
        source_codes, target_codes = (np.asarray(side.codes) for side in sides)
        codes = np.concatenate([source_codes, target_codes + source_codes.max() + 1])

    def value(order: NDArray[np.int64]) -> float:
        a, b = order[:n], order[n:]
        labels = (None, None) if codes is None else (codes[a], codes[b])
        return info.compute(
            Pair(
                pooled[a],
                pooled[b],
                source_labels=labels[0],
                target_labels=labels[1],
                seed=pair.seed,
            )
        )

    draws = np.random.default_rng(pair.seed)
    null = [value(draws.permutation(2 * n)) for _ in range(n_permutations)]
    return PermutationNull(info.name, value(np.arange(2 * n)), np.sort(null), n)
