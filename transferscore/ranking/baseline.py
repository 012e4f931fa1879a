"""The baseline's row: what no pretrained model at all reaches, and which models do not beat it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from transferscore.datasets import Dataset
from transferscore.ranking.assembly import candidate_of
from transferscore.ranking.evaluated import Evaluated
from transferscore.ranking.keeper import Outcome
from transferscore.ranking.pairs import pairs_of
from transferscore.ranking.ranking import Candidate, Failure, Ranking
from transferscore.ranking.uncertainty import TIE_LEVEL, draw_values
from transferscore.strategies.limits import NO_LIMITS
from transferscore.strategies.option import PROBE

__all__ = ["with_baseline"]

_NAMED = 5  # so many models that do not beat it are named


def with_baseline(
    ranking: Ranking,
    baseline: Outcome | None,
    evaluated: Sequence[Evaluated],
    dataset: Dataset,
    seed: int,
) -> Ranking:
    """The ranking with a row for the baseline, in its place by predicted metric.

    Models are compared with each other as if it were not there: it is no candidate, and `best` is
    never it. Each model has the probability that it beats the baseline when the sample is drawn
    again; what stays below 90% is said.

    Args:
        ranking: Of the models.
        baseline: What came of it; None where none was asked for.
        evaluated: The models.
        dataset: What they were ranked on.
        seed: Of the draws.
    """
    if baseline is None:
        return ranking
    if isinstance(baseline, Failure):
        said = f"{baseline.model} could not be computed, so no baseline is shown: "
        return replace(ranking, warnings=(*ranking.warnings, said + baseline.message))
    if not evaluated:
        return ranking
    values = draw_values([e.evaluation for e in (*evaluated, baseline)], seed)
    above = np.mean(values[:, :-1] > values[:, -1:], axis=0)
    chances = {e.model: float(p) for e, p in zip(evaluated, above, strict=True)}
    models = [_compared(candidate, chances) for candidate in ranking.candidates]
    p_best = float(np.mean(values[:, -1] > values[:, :-1].max(axis=1)))
    row = _row(baseline, dataset, p_best)
    place = sum(_stands_before(candidate, row) for candidate in models)
    rows = [*models[:place], row, *models[place:]]
    return replace(
        ranking,
        candidates=tuple(replace(c, rank=position) for position, c in enumerate(rows, 1)),
        warnings=(*ranking.warnings, *_remarks(models, row)),
    )


def _compared(candidate: Candidate, chances: dict[str, float]) -> Candidate:
    if candidate.strategy != PROBE:
        return candidate
    return replace(candidate, p_beats_baseline=chances[candidate.model])


def _stands_before(candidate: Candidate, row: Candidate) -> bool:
    breaks_a_limit = candidate.cost is not None and candidate.cost.fits is False
    return not breaks_a_limit and candidate.predicted.value >= row.predicted.value


def _row(baseline: Evaluated, dataset: Dataset, p_best: float) -> Candidate:
    (pair,) = pairs_of(baseline, dataset, NO_LIMITS)
    return replace(candidate_of(pair, dataset.task.metric), p_best=p_best, baseline=True)


def _remarks(models: Sequence[Candidate], row: Candidate) -> list[str]:
    """Which models are not shown to beat the baseline, or that none of them is."""
    weak = [c for c in models if c.p_beats_baseline is not None and c.p_beats_baseline < TIE_LEVEL]
    if not weak:
        return []
    n_compared = sum(c.p_beats_baseline is not None for c in models)
    names = [f"{c.model} ({c.p_beats_baseline:.0%})" for c in weak[:_NAMED]]
    more = f" and {len(weak) - _NAMED} more" if len(weak) > _NAMED else ""
    none = len(weak) == n_compared
    them = "No model is" if none else f"{len(weak)} of {n_compared} models are not"
    what = row.details.get("baseline", "simple features")
    return [
        f"{them} shown to beat {row.model} ({what}), which takes a probability of {TIE_LEVEL:.0%}: "
        f"{', '.join(names)}{more}."
    ]
