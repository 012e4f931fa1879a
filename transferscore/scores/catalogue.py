"""`score`: any or all scores of one feature matrix, for the price of little more than one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np
from numpy.typing import ArrayLike

from transferscore.datasets.labels import guess_task
from transferscore.scores.registry import applicable_scores, check_scores, scores_named
from transferscore.statistics import Statistics
from transferscore.statistics.targets import label_array

__all__ = ["compute_scores", "score"]


def score(
    features: ArrayLike,
    labels: ArrayLike,
    scores: str | Iterable[str] | None = None,
    *,
    task: str | None = None,
    source_probabilities: ArrayLike | None = None,
) -> Mapping[str, float]:
    """Compute transferability scores of features for labels. Higher is better, for all of them.

    Args:
        features: `(n_samples, n_features)`.
        labels: `(n_samples,)` classes of any type, or numbers `(n_samples,)` or `(n_samples, m)`.
        scores: Names, or one string with commas; by default all that apply to the task and inputs.
        task: "classification", "multilabel" or "regression"; by default told from the labels.
        source_probabilities: `(n_samples, n_source_classes)` of the model's own classifier.

    Returns:
        Score name to value.

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
    task = task or guess_task(np.atleast_1d(label_array(labels))).kind
    statistics = Statistics(features, labels, task=task, source_probabilities=source_probabilities)
    return compute_scores(statistics, scores, task)


def compute_scores(
    statistics: Statistics, scores: str | Iterable[str] | None, task: str
) -> dict[str, float]:
    """The named scores (all applicable ones by default) of shared statistics."""
    has_source = statistics.source_probabilities is not None
    names = check_scores(scores, task)
    infos = applicable_scores(task, has_source=has_source) if names is None else scores_named(names)
    return {info.name: info.compute(statistics) for info in infos}
