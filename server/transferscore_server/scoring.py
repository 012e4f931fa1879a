"""What a scorer process does: arrays in, numbers out. Runs apart from the server's event loop."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

__all__ = ["Answer", "compute_distances", "list_scorers", "score_features", "score_statistics"]

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Answer:
    """Numbers by name, and what was warned of on the way."""

    values: Mapping[str, float]
    warnings: tuple[str, ...]
    n_rows: int = 0
    statistics: bytes = b""


def score_features(
    features: NDArray[Any],
    labels: NDArray[Any] | Sequence[str],
    scores: Sequence[str] | str | None,
    task: str | None,
    source: Mapping[str, NDArray[Any]],
    keep: bool = False,
) -> Answer:
    """The scores of one feature matrix, as `transferscore.score` gives them.

    Args:
        features: `(n, d)`.
        labels: `(n,)` or `(n, m)`, or n names.
        scores: Names of the scores; None for all that apply.
        task: What is to be learnt; None to go by the labels.
        source: The model's own `source_probabilities` and `source_logits`, where there are any.
        keep: Whether to give mergeable statistics as well.
    """
    from transferscore.scores.catalogue import compute_scores, statistics_to_score

    def compute() -> tuple[Mapping[str, float], bytes]:
        statistics = statistics_to_score(features, labels, task, source)
        return compute_scores(statistics, scores), statistics.to_bytes() if keep else b""

    (values, kept), notes = _with_warnings(compute)
    return Answer(values, notes, len(features), kept)


def score_statistics(content: bytes, scores: Sequence[str] | str | None) -> Answer:
    """The scores of statistics; by default those that do not need rows."""
    from transferscore.scores.catalogue import compute_scores
    from transferscore.scores.registry import SCORES
    from transferscore.statistics import Statistics

    statistics = Statistics.from_bytes(content)
    task = statistics.task
    names = scores or [name for name, info in SCORES.items() if task in info.on_moments]
    values, notes = _with_warnings(lambda: compute_scores(statistics, names, task))
    return Answer(values, notes, statistics.n_samples)


def compute_distances(
    source: NDArray[Any],
    target: NDArray[Any],
    distances: Sequence[str] | None,
    labels: tuple[NDArray[Any] | None, NDArray[Any] | None],
    seed: int,
) -> Answer:
    """The distances of two samples, as `transferscore.distance` gives them."""
    from transferscore.distances import distance

    def compute() -> Mapping[str, float]:
        return distance(
            source,
            target,
            distances,
            source_labels=labels[0],
            target_labels=labels[1],
            seed=seed,
        )

    values, notes = _with_warnings(compute)
    return Answer(dict(values), notes, len(target))


def list_scorers() -> list[dict[str, Any]]:
    """The catalogue as plain values."""
    from transferscore.distances import DISTANCES, SOURCE_FREE
    from transferscore.scores.registry import SCORES

    scores = [
        {
            "name": info.name,
            "kind": "SCORE",
            "summary": info.tells,
            "range": info.range,
            "chance": info.chance,
            "tasks": info.tasks,
            "needs_source": info.needs_source,
            "streams": bool(info.on_moments),
            "paper": info.paper,
        }
        for info in SCORES.values()
    ]
    distances = [
        _distance(info, chance="", needs_source=info.needs_labels) for info in DISTANCES.values()
    ]
    source_free = [
        _distance(info, chance=info.null, needs_source=False, source_free=info.needs)
        for info in SOURCE_FREE.values()
    ]
    return scores + distances + source_free


def _distance(info: Any, **more: Any) -> dict[str, Any]:
    """What is said of every distance alike, and what only of one kind."""
    return {
        "name": info.name,
        "kind": "DISTANCE",
        "summary": info.tells,
        "range": info.range,
        "tasks": (),
        "streams": False,
        "paper": info.paper,
        **more,
    }


def _with_warnings(compute: Callable[[], Result]) -> tuple[Result, tuple[str, ...]]:
    with warnings.catch_warnings(record=True) as caught, np.errstate(all="ignore"):
        warnings.simplefilter("always", RuntimeWarning)
        values = compute()
    return values, tuple(dict.fromkeys(str(warning.message) for warning in caught))
