"""`score`: any or all scores of one feature matrix, for the price of little more than one."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping

import numpy as np
from numpy.typing import ArrayLike

from transferscore.datasets.labels import guess_task
from transferscore.errors import InputError
from transferscore.scores.registry import applicable_scores, check_scores, scores_named
from transferscore.scores.score import ScoreInfo
from transferscore.statistics import Statistics
from transferscore.statistics.targets import label_array

__all__ = ["compute_scores", "score", "statistics_to_score"]


def score(
    features: ArrayLike | Statistics,
    labels: ArrayLike | None = None,
    scores: str | Iterable[str] | None = None,
    *,
    task: str | None = None,
    source_probabilities: ArrayLike | None = None,
    source_logits: ArrayLike | None = None,
) -> Mapping[str, float]:
    """Compute transferability scores of features for labels. Higher is better, for all of them.

    Args:
        features: `(n_samples, n_features)`; or `Statistics`, which have the labels.
        labels: `(n_samples,)` classes of any type, or numbers `(n_samples,)` or `(n_samples, m)`.
        scores: Names, or one string with commas; by default all that apply to the task and inputs.
        task: "classification", "multilabel" or "regression"; by default told from the labels.
        source_probabilities: `(n_samples, n_source_classes)` of the model's own classifier; by
            default the softmax of its logits, where they are given.
        source_logits: `(n_samples, n_source_classes)`.

    Returns:
        Score name to value. Of merged statistics, scores that need rows are those of the sample
        that the statistics hold, and a warning says so.

    Raises:
        InputError: Shapes do not match, a value is NaN or infinite, one class only, or a score was
            asked for that needs what was not given or has no meaning for the task.
        UnknownNameError: No score of that name.

    Examples:
        >>> x = [[1, 0], [2, 1], [0, 1], [1, 2], [3, 1]]
        >>> values = score(x, [0, 0, 1, 1, 0], "logme,h_score")
        >>> {name: round(value, 3) for name, value in values.items()}
        {'logme': -0.801, 'h_score': 0.936}
    """
    if isinstance(features, Statistics):
        _check_nothing_else(labels, task, source_probabilities, source_logits)
        return compute_scores(features, scores)
    if labels is None:
        raise InputError("`labels` must be given with `features`; only Statistics have their own.")
    source = {"source_probabilities": source_probabilities, "source_logits": source_logits}
    return compute_scores(statistics_to_score(features, labels, task, source), scores)


def statistics_to_score(
    features: ArrayLike, labels: ArrayLike, task: str | None, source: Mapping[str, ArrayLike | None]
) -> Statistics:
    """Statistics of one feature matrix, the task told from the labels where it is not given.

    Args:
        features: As of `score`.
        labels: As of `score`.
        task: As of `score`.
        source: `source_probabilities` and `source_logits`, where there are any.

    Raises:
        InputError: As of `score`.
    """
    kind = task or guess_task(np.atleast_1d(label_array(labels))).kind
    return Statistics(features, labels, task=kind, **source)


def compute_scores(
    statistics: Statistics, scores: str | Iterable[str] | None, task: str | None = None
) -> dict[str, float]:
    """The named scores (all applicable ones by default) of shared statistics."""
    task = task or statistics.task
    statistics.check_varying()
    names = check_scores(scores, task)
    infos = _applicable(statistics, task) if names is None else scores_named(names)
    _warn_of_sample(statistics, [info.name for info in infos if task not in info.on_moments])
    return {
        info.name: info.compute(statistics if task in info.on_moments else statistics.sampled)
        for info in infos
    }


def _applicable(statistics: Statistics, task: str) -> list[ScoreInfo]:
    infos = applicable_scores(task, has_source=statistics.has_source)
    if statistics.n_at_hand > 0:
        return infos
    # The ridge probe is fitted to moments, but measured on rows.
    return [info for info in infos if task in info.on_moments and info.name != "ridge_probe"]


def _warn_of_sample(statistics: Statistics, names: list[str]) -> None:
    if names and not statistics.has_rows and statistics.n_at_hand > 0:
        warnings.warn(
            f"{', '.join(names)}: computed on a sample of {statistics.n_at_hand} of the "
            f"{statistics.n_samples} rows, the others not being at hand.",
            RuntimeWarning,
            stacklevel=3,
        )


def _check_nothing_else(*others: object) -> None:
    if any(other is not None for other in others):
        raise InputError(
            "Statistics have labels, task and source outputs of their own; pass them alone, or "
            "pass features and the rest."
        )
