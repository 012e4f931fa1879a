"""From the candidates' evaluations to the ranking."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from transferscore.datasets import Dataset
from transferscore.ranking.evaluation import Evaluation
from transferscore.ranking.ranking import Candidate, Failure, Prediction, Ranking
from transferscore.ranking.uncertainty import TIE_LEVEL, compare, interval

__all__ = ["Evaluated", "assemble_ranking"]


@dataclass(frozen=True, slots=True)
class Evaluated:
    """A model's evaluation, what it cost, and what else is known of the model."""

    model: str
    evaluation: Evaluation
    seconds: float
    forward_seconds: float
    details: Mapping[str, str] = field(default_factory=dict)


def assemble_ranking(
    dataset: Dataset, evaluated: Sequence[Evaluated], failures: Sequence[Failure], seed: int
) -> Ranking:
    """Put candidates in order of predicted metric and say how sure the order is."""
    # A name breaks exact ties, so that the order never depends on the order of the models given.
    ordered = sorted(evaluated, key=lambda e: (-e.evaluation.value, e.model))
    comparison = compare([e.evaluation for e in ordered], seed) if ordered else None
    candidates = [
        _candidate(position, entry, dataset, comparison.p_best[position], tied)
        for position, entry in enumerate(ordered)
        if comparison is not None
        for tied in [bool(comparison.p_first_better[position] < TIE_LEVEL)]
    ]
    return Ranking(
        _about(dataset, seed),
        tuple(candidates),
        tuple(failures),
        tuple(_warnings(dataset, ordered)),
        comparison.expected_regret if comparison is not None else None,
    )


def _candidate(
    position: int, entry: Evaluated, dataset: Dataset, p_best: float, tied: bool
) -> Candidate:
    evaluation, metric = entry.evaluation, dataset.task.metric
    low, high = interval(evaluation, bounded=metric == "accuracy")
    return Candidate(
        rank=position + 1,
        model=entry.model,
        strategy="linear_probe",
        predicted=Prediction(metric, evaluation.value, low, high),
        p_best=float(p_best),
        tied_with_first=tied,
        scores=evaluation.scores,
        n_features=evaluation.n_features,
        n_samples=len(evaluation.rows),
        seconds=entry.seconds,
        forward_seconds=entry.forward_seconds,
        details=entry.details,
        layers=evaluation.layers,
        layer=evaluation.layer,
    )


def _about(dataset: Dataset, seed: int) -> Mapping[str, Any]:
    about: dict[str, Any] = {
        "name": dataset.name,
        "modality": dataset.modality,
        "task": dataset.task.kind,
        "metric": dataset.task.metric,
        "split": dataset.split,
        "n_samples": len(dataset),
        "n_classes": dataset.n_classes,
        "seed": seed,
    }
    if dataset.task.kind == "classification":
        about["majority_share"] = float(np.bincount(dataset.labels).max() / len(dataset))
        about["class_names"] = list(dataset.class_names)
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
