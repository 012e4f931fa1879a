"""Predicted beside measured: the table that says whether the ranking was right."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from transferscore.ranking.agreement import (
    first_choice_regret,
    interval_coverage,
    mean_absolute_error,
    weighted_tau,
)
from transferscore.report.table import Table
from transferscore.report.text import align

if TYPE_CHECKING:
    from transferscore.ranking import Ranking

__all__ = ["Outcome", "Row", "outcome_lines", "outcome_of"]


@dataclass(frozen=True, slots=True)
class Row:
    """One model: what was predicted of its probe, and what the probe reached."""

    model: str
    predicted: float
    low: float
    high: float
    measured: float

    @property
    def is_inside(self) -> bool:
        """Whether the measured accuracy lies in the predicted interval."""
        return self.low <= self.measured <= self.high


@dataclass(frozen=True, slots=True)
class Outcome:
    """All models in predicted order, and how well prediction and measurement agree.

    Attributes:
        rows: Best predicted first.
        n_tested: Rows that the probes were tested on.
        tau: Weighted Kendall tau.
        regret: Accuracy lost by taking the first instead of the best; models that share the
            highest prediction count as one choice.
        error: Mean absolute error of the predictions.
        coverage: Share of the models inside their interval.
    """

    rows: tuple[Row, ...]
    n_tested: int
    tau: float
    regret: float
    error: float
    coverage: float


def outcome_of(ranking: Ranking, measured: Mapping[str, float], n_tested: int) -> Outcome:
    """Compare a ranking with the accuracies measured of them.

    Args:
        ranking: With predictions as accuracies.
        measured: Model name to accuracy.
        n_tested: Rows that they were measured on.
    """
    rows = tuple(
        Row(c.model, c.predicted.value, c.predicted.low, c.predicted.high, measured[c.model])
        for c in ranking.candidates
    )
    predicted, truth = [row.predicted for row in rows], [row.measured for row in rows]
    return Outcome(
        rows,
        n_tested,
        weighted_tau(predicted, truth),
        first_choice_regret(predicted, truth),
        mean_absolute_error(predicted, truth),
        interval_coverage([row.low for row in rows], [row.high for row in rows], truth),
    )


def outcome_lines(outcome: Outcome) -> list[str]:
    """The table and what it shows, as lines of text."""
    header = ["#", "model", "predicted", "90% interval", "measured", "inside", "measured rank"]
    body = [
        _cells(position, row, _rank_of(row, outcome.rows))
        for position, row in enumerate(outcome.rows, 1)
    ]
    return [*align(Table(header, body, [False, True, *[False] * 5])), "", *_summary(outcome)]


def _cells(position: int, row: Row, measured_rank: int) -> list[str]:
    return [
        str(position),
        row.model,
        f"{row.predicted:.1%}",
        f"{row.low:.1%} – {row.high:.1%}",
        f"{row.measured:.1%}",
        "yes" if row.is_inside else "no",
        str(measured_rank),
    ]


def _rank_of(row: Row, rows: tuple[Row, ...]) -> int:
    return 1 + sum(other.measured > row.measured for other in rows)


def _summary(outcome: Outcome) -> list[str]:
    n_inside = sum(row.is_inside for row in outcome.rows)
    return [
        f"Order:  weighted Kendall tau {outcome.tau:.2f} (1 is the same order, 0 a random one).",
        f"Choice: {_choice(outcome)}",
        f"Values: predictions are off by {100 * outcome.error:.1f} points on average; "
        f"{n_inside} of {len(outcome.rows)} models lie in their 90% interval.",
        f"        The test has {outcome.n_tested} digits, so a measured accuracy is itself "
        f"uncertain by {_noise(outcome):.1f} points (one standard error).",
    ]


def _choice(outcome: Outcome) -> str:
    first, best = outcome.rows[0], max(outcome.rows, key=lambda row: row.measured)
    if first.measured == best.measured:
        return f"{first.model}, ranked first, is the best measured as well."
    return (
        f"{first.model}, ranked first, is {100 * (best.measured - first.measured):.1f} points "
        f"below the best measured, {best.model}."
    )


def _noise(outcome: Outcome) -> float:
    """Standard error of a measured accuracy in points, for the mean model."""
    mean = sum(row.measured for row in outcome.rows) / len(outcome.rows)
    return 100 * math.sqrt(mean * (1 - mean) / outcome.n_tested)
