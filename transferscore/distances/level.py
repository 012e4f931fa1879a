"""Distance levels: how far the data lies from what the model has seen, in one word.

The definition. Both samples are cut to the same number n of rows, at most 500. Three numbers:

- *separability*: the area under the curve of a held-out logistic domain classifier (five folds):
  the chance that it finds the target row of a target and a source row. 0.5: they cannot be told
  apart; 1: always.
- *effect*: the unbiased energy distance over its cross term,
  (2 E|x - y| - E|x - x'| - E|y - y'|) / (2 E|x - y|): the share of the distance between rows of the
  two samples that rows of the same sample do not have. 0: none; 1: each sample is a single point.
  It depends neither on n, nor on the features' unit, origin or rotation.
- *null quantile*: what 95 % of 200 random re-divisions of the pooled rows stay below in effect.

The level is the lower of what separability and effect say, and low if the effect is within its
null; but never low where the classifier is right nine times in ten, beyond the doubt of three
standard errors at chance, for it then reads a difference that plain distances pass over:

========== ============ ========
level      separability effect
========== ============ ========
low        below 0.65   below 0.02
moderate   below 0.90   below 0.12
high       below 0.98   below 0.25
very high  above        above
========== ============ ========

Separability says whether there is a difference and saturates early: pretrained features tell any
two datasets apart. The effect says how large it is.

The thresholds were set on sixteen pretrained image models, CIFAR-10 as the source of all. Number of
models that call each target

=================================== === ======== ==== =========
target                              low moderate high very high
=================================== === ======== ==== =========
the other half of CIFAR-10           16        0    0         0
photographs of flowers                0       12    4         0
photographs of rubbish                1        5   10         0
photographs of hand signs             0        1    4        11
brain scans                           0        1    6         9
=================================== === ======== ==== =========

Models trained on CIFAR-10 itself call flowers moderate and brain scans high. The same data were
used to set the thresholds, so this table is a description, not a test.

Two samples of one distribution are called anything but low in up to 7 % of draws with 5 or 12 rows
a side, in about 1 % with 40, and in none of 180 draws with 100.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from transferscore.distances.domain_classifier import (
    area_under_curve,
    held_out_margins,
    seeded_folds,
)
from transferscore.distances.fingerprint import Fingerprint
from transferscore.distances.pair import Pair
from transferscore.distances.pairwise import squared_distances

__all__ = ["LEVELS", "DistanceLevel", "Level", "level_of"]

Level = Literal["low", "moderate", "high", "very high"]

LEVELS: tuple[Level, ...] = ("low", "moderate", "high", "very high")
_SEPARABILITY = (0.65, 0.90, 0.98)
_SURE = 0.90
_EFFECT = (0.02, 0.12, 0.25)
_MAX_ROWS = 500
_N_PERMUTATIONS = 200


@dataclass(frozen=True, slots=True)
class DistanceLevel:
    """How far apart two samples are, in one word, and why.

    Attributes:
        level: "low", "moderate", "high" or "very high".
        separability: Area under the curve of the held-out domain classifier, 0.5 at chance.
        effect: Unbiased energy distance over its cross term, 0 at chance, at most 1.
        null_quantile: What 95 % of random re-divisions stay below in effect.
        p_value: Share of divisions at least as far apart.
        n_rows: Rows a side that all this was computed on.
    """

    level: Level
    separability: float
    effect: float
    null_quantile: float
    p_value: float
    n_rows: int

    def __str__(self) -> str:
        return (
            f"{self.level} (a classifier tells the two apart with AUC {self.separability:.2f}; "
            f"effect {self.effect:.3f}, by chance below {self.null_quantile:.3f}; "
            f"{self.n_rows} rows a side)"
        )


def level_of(
    source_features: ArrayLike | Fingerprint,
    target_features: ArrayLike | Fingerprint,
    seed: int = 0,
) -> DistanceLevel:
    """Tell how far the target lies from the source: low, moderate, high or very high.

    The definition stands at the top of this module.

    Args:
        source_features: `(n_source, d)`, or a fingerprint (its coreset is compared).
        target_features: `(n_target, d)`, or a fingerprint.
        seed: Of the rows drawn, the folds and the re-divisions.

    Returns:
        The level and the numbers it follows from. Below about 40 rows a side chance alone moves it;
        with two or three rows it is low whatever they are, for no division can be extreme then.

    Raises:
        InputError: Shapes do not match, a value is not finite, or one row only.

    Examples:
        >>> level_of([[0], [1], [2], [3]], [[7], [8], [9], [6]]).level
        'very high'
    """
    pair = Pair(source_features, target_features, seed=seed)
    pair.check_two_rows("level")
    source, target, _ = pair.equal_samples(_MAX_ROWS)
    n = len(source)
    margins = held_out_margins(source.features, target.features, seeded_folds(n, n, seed))
    separability = area_under_curve(margins[:n], margins[n:])
    effects = _effects(np.concatenate([source.features, target.features]), seed)
    effect, null = float(effects[0]), effects[1:]
    quantile = float(np.quantile(null, 0.95))
    p_value = float((1 + np.count_nonzero(null >= effect)) / (1 + len(null)))
    level = _level(separability, effect if effect > quantile else 0.0, n)
    return DistanceLevel(level, separability, effect, quantile, p_value, n)


def _effects(pooled: NDArray[np.float64], seed: int) -> NDArray[np.float64]:
    """The effect of the division into halves as they are, then of random divisions."""
    size = len(pooled)
    n = size // 2
    draws = np.random.default_rng(seed)
    orders = [np.arange(size), *(draws.permutation(size) for _ in range(_N_PERMUTATIONS))]
    members = np.zeros((size, len(orders)))
    for column, order in enumerate(orders):
        members[order[:n], column] = 1.0
    distances = np.sqrt(squared_distances(pooled, pooled))
    within_a = np.einsum("ij,ij->j", members, distances @ members)
    sums = distances.sum(axis=1) @ members
    cross = sums - within_a
    within_b = float(distances.sum()) - 2.0 * sums + within_a
    # All of one size: (2 C / n^2 - (A + B) / (n (n - 1))) / (2 C / n^2).
    gaps = cross - 0.5 * (within_a + within_b) * n / (n - 1)
    effects: NDArray[np.float64] = np.divide(
        gaps, cross, out=np.zeros_like(gaps), where=cross > 0.0
    )
    return effects


def _level(separability: float, effect: float, n: int) -> Level:
    steps = int(np.searchsorted(_SEPARABILITY, separability, side="right"))
    step = min(steps, int(np.searchsorted(_EFFECT, effect, side="right")))
    # Variance of the area under the curve of two samples of n rows that do not differ.
    doubt = 3.0 * np.sqrt((2 * n + 1) / (12.0 * n * n))
    certain = separability >= _SURE and separability > 0.5 + doubt
    return LEVELS[max(step, 1) if certain else step]
