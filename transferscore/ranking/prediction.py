"""What a linear probe will reach, in the metric of the task, from held-out ridge outputs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from transferscore.datasets import Task
from transferscore.ranking.metrics import average_precision, macro_f1, spearman
from transferscore.statistics import Statistics
from transferscore.statistics.held_out_outputs import held_out_groups, one_out_outputs

__all__ = ["HeldOutMetric", "held_out_metric"]

_HALF = 0.5


@dataclass(frozen=True, slots=True)
class HeldOutMetric:
    """The metric of a task on held-out rows.

    Attributes:
        value: Of the task's own metric.
        losses: `(m,)` of the units that are drawn together: rows, or groups of them in ascending
            order. Their mean is one minus the value.
        metrics: The task's metric and the one beside it, by name.
    """

    value: float
    losses: NDArray[np.float64]
    metrics: Mapping[str, float]


def held_out_metric(
    statistics: Statistics, task: Task, groups: NDArray[np.int64] | None = None
) -> HeldOutMetric:
    """The metric of `task` on rows that were predicted from others.

    Args:
        statistics: Of n rows.
        task: What is to be learnt.
        groups: `(n,)` which rows belong together; none is predicted from its own group.

    Raises:
        InputError: All rows are of one group.
    """
    if groups is None:
        held_out, outputs = statistics.held_out, one_out_outputs(statistics)
    else:
        held_out, outputs = held_out_groups(statistics, groups)
    targets = statistics.targets.matrix()
    if task.kind == "multilabel":
        value, losses = average_precision(outputs, targets)
        also = macro_f1(outputs > _HALF, targets > _HALF)
    else:
        value, losses = held_out.value, held_out.row_losses
        also = spearman(outputs, targets)
        if task.scored_as == "classification":
            answers = np.eye(targets.shape[1], dtype=np.bool_)[outputs.argmax(axis=1)]
            also = macro_f1(answers, targets > _HALF)
    units = losses if groups is None else _by_group(losses, groups)
    return HeldOutMetric(value, units, {task.metric: value, task.also: also})


def _by_group(losses: NDArray[np.float64], groups: NDArray[np.int64]) -> NDArray[np.float64]:
    """Losses of groups, of the same mean, whose spread is that of the mean over their rows.

    A group counts by its rows: that mean is a ratio of two sums, here in first order.
    """
    _, numbers = np.unique(groups, return_inverse=True)
    mean, sizes = losses.mean(), np.bincount(numbers)
    excess = np.bincount(numbers, weights=losses) - mean * sizes
    by_group: NDArray[np.float64] = mean + excess * (len(sizes) / len(losses))
    return by_group
