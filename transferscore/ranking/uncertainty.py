"""How sure a ranking is: intervals of predictions, and who cannot be told apart."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from transferscore.ranking.evaluation import Evaluation

__all__ = [
    "INTERVAL_LEVEL",
    "QUANTILE",
    "TIE_LEVEL",
    "Comparison",
    "comparison_of",
    "draw_values",
    "interval",
]

INTERVAL_LEVEL = 0.9
TIE_LEVEL = 0.9
QUANTILE = 1.6448536269514722  # standard normal, two-sided at INTERVAL_LEVEL
_DRAWS = 2000
_LEAST_MISMATCH = 0.005


@dataclass(frozen=True, slots=True)
class _Mismatch:
    """How a tuned probe differs from the ridge that foretells it, beyond sampling.

    The standard deviation of the difference at n rows is `scale / n**power`, at most `most`.
    """

    scale: float
    power: float
    most: float


# What was measured, as standard deviations:
# accuracy: .044, .044, .023 and .0075 at 100, 200, 400 and 1,000 rows of tests/benchmarks/
#   bench_zoo.py. The smaller numbers hold a bias too: with every class at its share, leaving out a
#   row makes its own class rarer, and leave-one-out stands low, by 5 points at 100 rows.
# average precision: .048, .035 and .022 at 100, 200 and 400 rows, where 88 %, 88 % and 95 % of
#   intervals held, over 13 pairs of a set with several labels and a model, 20 to 26 comparisons.
#   It falls slowly: some of it is between logistic regression and ridge as such.
# R2: 92 %, 96 % and 94 % of intervals held, over 12 pairs, 18 to 24 comparisons; tails are long.
# The last two by `compared` of tests/benchmarks/bench_mismatch.py, on features that bench_tasks.py
# had stored.
_MISMATCHES = {
    "accuracy": _Mismatch(7.0, 1.0, 0.05),
    "average_precision": _Mismatch(0.15, 0.25, 0.05),
    "r2": _Mismatch(0.7, 0.5, 0.1),
}


@dataclass(frozen=True, slots=True)
class Comparison:
    """How candidates, best first, compare when the sample is drawn again.

    Attributes:
        p_best: `(m,)` probability that each is the best.
        p_first_better: `(m,)` probability that the first beats each; 0.5 for the first itself.
        expected_regret: What choosing the first costs on average against the best, in the metric.
    """

    p_best: NDArray[np.float64]
    p_first_better: NDArray[np.float64]
    expected_regret: float


def interval(evaluation: Evaluation, *, is_share_of_rows: bool) -> tuple[float, float]:
    """Where the measured metric of a linear probe lies, with probability INTERVAL_LEVEL.

    Sampling error of the mean loss plus the mismatch of probe and tuned classifier. For an accuracy
    it is a Wilson interval, which stays within [0, 1] and open at a perfect score.

    Args:
        evaluation: One candidate.
        is_share_of_rows: Whether the losses are 0 or 1.
    """
    n, value = len(evaluation.row_losses), evaluation.value
    if not is_share_of_rows:
        spread = float(np.std(evaluation.row_losses)) / np.sqrt(n)
        half = QUANTILE * float(np.hypot(spread, _mismatch(evaluation)))
        return value - half, min(1.0, value + half)
    middle = (n * value + QUANTILE**2 / 2) / (n + QUANTILE**2)
    # The mismatch acts like a smaller sample of the same accuracy.
    effective = 1.0 / (1.0 / n + _mismatch(evaluation) ** 2 / (middle * (1.0 - middle)))
    z2 = QUANTILE**2 / effective
    center = (value + z2 / 2) / (1 + z2)
    half = QUANTILE / (1 + z2) * math.sqrt((value * (1 - value) + z2 / 4) / effective)
    # The bounds of a perfect score meet it but for rounding.
    return max(0.0, min(value, center - half)), min(1.0, max(value, center + half))


def draw_values(evaluations: Sequence[Evaluation], seed: int) -> NDArray[np.float64]:
    """`(draws, m)` the metric of each candidate when the sample is drawn again.

    Rows that all candidates could read are resampled together: two models that fail on the same
    samples are told apart by far less than their separate intervals suggest.
    """
    losses = _common_losses(evaluations)
    n, m = losses.shape
    rng = np.random.default_rng(seed)
    counts = rng.multinomial(n, np.full(n, 1.0 / n), size=_DRAWS)
    values: NDArray[np.float64] = 1.0 - counts @ losses / n
    values += rng.normal(scale=_mismatch(evaluations[0]), size=(_DRAWS, m))
    return values


def comparison_of(values: NDArray[np.float64], n_rivals: int) -> Comparison:
    """How candidates compare in draws of all of them.

    Args:
        values: `(draws, m)`, in the order of the ranking.
        n_rivals: So many of the first are compared; the others cannot be chosen.
    """
    draws, m = values.shape
    rivals = values[:, :n_rivals]
    p_best = np.bincount(rivals.argmax(axis=1), minlength=m) / draws
    p_first_better = np.mean(values[:, :1] > values, axis=0)
    p_first_better[0] = 0.5
    p_first_better[n_rivals:] = 1.0
    return Comparison(p_best, p_first_better, float(np.mean(rivals.max(axis=1) - values[:, 0])))


def _mismatch(evaluation: Evaluation) -> float:
    """Standard deviation of the mismatch in the metric of the evaluation's task."""
    kind = _MISMATCHES[next((m for m in evaluation.metrics if m in _MISMATCHES), "accuracy")]
    n = evaluation.n_rows or len(evaluation.row_losses)
    return float(min(max(kind.scale / n**kind.power, _LEAST_MISMATCH), kind.most))


def _common_losses(evaluations: Sequence[Evaluation]) -> NDArray[np.float64]:
    """`(n, m)` losses on the rows that every candidate has."""
    common = evaluations[0].rows
    for evaluation in evaluations[1:]:
        common = np.intersect1d(common, evaluation.rows, assume_unique=True)
    columns = [e.row_losses[np.searchsorted(e.rows, common)] for e in evaluations]
    return np.stack(columns, axis=1)
