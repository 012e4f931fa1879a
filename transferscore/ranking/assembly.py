"""From the candidates' evaluations to the ranking."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any

import numpy as np

from transferscore.datasets import Dataset
from transferscore.ranking.decision import decide, reasons_of
from transferscore.ranking.evaluated import Evaluated
from transferscore.ranking.evaluation import Evaluation
from transferscore.ranking.measured import with_measured
from transferscore.ranking.pairs import Pair, compare_pairs, front_of, ordered_pairs, pairs_of
from transferscore.ranking.ranking import Candidate, Failure, Prediction, Ranking, Unavailable
from transferscore.ranking.uncertainty import TIE_LEVEL, Comparison
from transferscore.strategies.limits import NO_LIMITS, Limits

__all__ = ["Evaluated", "assemble_ranking", "candidate_of"]


def assemble_ranking(
    dataset: Dataset,
    evaluated: Sequence[Evaluated],
    failures: Sequence[Failure],
    seed: int,
    limits: Limits = NO_LIMITS,
) -> Ranking:
    """Put candidates in order of predicted metric and say how sure the order is."""
    ordered = sorted(evaluated, key=lambda e: (-e.evaluation.value, e.model))
    expected = [pair for entry in ordered for pair in pairs_of(entry, dataset, limits)]
    pairs = ordered_pairs([with_measured(pair, dataset) for pair in expected])
    comparison = compare_pairs(pairs, seed) if pairs else None
    tied = [] if comparison is None else [bool(p < TIE_LEVEL) for p in comparison.p_first_better]
    with_strategies = any(entry.options for entry in ordered)
    return Ranking(
        _about(dataset, seed),
        tuple(_candidates(pairs, comparison, tied, dataset) if comparison is not None else ()),
        tuple(failures),
        tuple(_warnings(dataset, ordered)),
        comparison.expected_regret if comparison is not None else None,
        tuple(_unavailable(ordered)),
        limits.to_dict() if with_strategies else None,
        decide(pairs, tied, dataset),
    )


def _candidates(
    pairs: Sequence[Pair], comparison: Comparison, tied: Sequence[bool], dataset: Dataset
) -> Iterator[Candidate]:
    reasons, fronts = reasons_of(pairs, dataset), front_of(pairs)
    for i, pair in enumerate(pairs):
        plain = replace(
            candidate_of(pair, dataset.task.metric),
            rank=i + 1,
            p_best=float(comparison.p_best[i]),
            tied_with_first=tied[i],
        )
        if pair.option is None:
            yield plain
            continue
        yield replace(
            plain,
            trainable_parameters=None if pair.option.step is None else pair.option.step.n_trainable,
            cost=pair.cost,
            pareto=bool(fronts[i]),
            basis=_basis(pair) or plain.basis,
            reason=reasons[i],
            recipe=None if pair.recipe is None else pair.recipe.to_dict(),
            learning_curve=pair.option.outlook.learning_curve,
        )


def candidate_of(pair: Pair, metric: str) -> Candidate:
    """The pair as it is by itself: not yet ranked, nor compared with others."""
    entry, evaluation = pair.entry, pair.entry.evaluation
    return Candidate(
        rank=0,
        model=entry.model,
        strategy=pair.strategy,
        predicted=Prediction(metric, pair.value, pair.low, pair.high),
        p_best=0.0,
        tied_with_first=False,
        scores=evaluation.scores,
        n_features=evaluation.n_features,
        n_samples=len(evaluation.rows),
        seconds=entry.seconds,
        forward_seconds=entry.forward_seconds,
        details=entry.details,
        layers=evaluation.layers,
        layer=evaluation.layer,
        distance=evaluation.distance,
        metrics=evaluation.metrics,
        prior=tuple(asdict(p) for p in entry.priors if p.strategy == pair.strategy),
    )


def _basis(pair: Pair) -> str:
    basis = pair.option.outlook.basis if pair.option is not None else ""
    return f"{basis}, and measured before" if pair.measured is not None else basis


def _unavailable(evaluated: Sequence[Evaluated]) -> Iterator[Unavailable]:
    for entry in evaluated:
        for option in entry.options:
            if not option.is_available:
                reason = option.outlook.reason or "no reason was given"
                yield Unavailable(entry.model, option.strategy, reason)


def _about(dataset: Dataset, seed: int) -> Mapping[str, Any]:
    about: dict[str, Any] = {
        "name": dataset.name,
        "modality": dataset.modality,
        "task": dataset.task.kind,
        "metric": dataset.task.metric,
        "metric_tells": dataset.task.tells,
        "split": dataset.split,
        "n_samples": len(dataset),
        "n_classes": dataset.n_classes,
        "seed": seed,
    }
    if dataset.task.scored_as == "classification":
        known = dataset.labels[dataset.labels >= 0]
        about["majority_share"] = float(np.bincount(known).max() / len(known))
    if dataset.class_names:
        about["class_names"] = list(dataset.class_names)
    if dataset.task.kind == "token_classification":
        about["n_words"] = len(dataset.labels)
    return about


def _warnings(dataset: Dataset, evaluated: Sequence[Evaluated]) -> list[str]:
    """What was left out, then each warning once, with the models that it is about."""
    lines = [f"{exclusion}." for exclusion in dataset.exclusions]
    models_of: dict[str, list[str]] = {}
    for entry in evaluated:
        messages = [*entry.evaluation.warnings, *_unreadable(entry.evaluation)]
        for message in messages:
            models_of.setdefault(message, []).append(entry.model)
    for message, models in models_of.items():
        everybody = len(models) == len(evaluated) > 1
        lines.append(message if everybody else f"{_listed(models)}: {message}")
    return lines


def _unreadable(evaluation: Evaluation) -> list[str]:
    if not evaluation.unreadable:
        return []
    reasons = list(evaluation.unreadable.values())
    count = "1 sample was" if len(reasons) == 1 else f"{len(reasons)} samples were"
    return [f"{count} left out because unreadable: {reasons[0]}"]


def _listed(models: Sequence[str], at_most: int = 3) -> str:
    more = len(models) - at_most
    shown = ", ".join(models[:at_most])
    return f"{shown} and {more} more" if more > 0 else shown
