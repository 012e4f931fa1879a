"""What is to be learnt, and which metric says how well."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from transferscore.errors import UnknownNameError

__all__ = [
    "CLASSIFICATION",
    "MULTILABEL",
    "REGRESSION",
    "TASKS",
    "TOKEN_CLASSIFICATION",
    "Task",
    "task_named",
]

TaskKind = Literal["classification", "multilabel", "regression", "token_classification"]


@dataclass(frozen=True, slots=True)
class Task:
    """A kind of target and the metric in which predictions are stated.

    Attributes:
        kind: Shape and meaning of the labels: one class id a sample, a 0/1 row a sample, one or
            more real numbers a sample, or one class id a word of a sample.
        metric: Name of the metric of `predicted`; higher is better.
        tells: What the metric says, in one line.
        also: Name of another metric that is stated beside it.
    """

    kind: TaskKind
    metric: str
    tells: str = ""
    also: str = ""

    @property
    def scored_as(self) -> str:
        """The task that scores see: each word of a token classification is a row with a class."""
        return "classification" if self.kind == "token_classification" else self.kind


CLASSIFICATION = Task(
    "classification",
    "accuracy",
    "the share of unseen samples that get their class",
    "macro_f1",
)
MULTILABEL = Task(
    "multilabel",
    "average_precision",
    "how high the samples that have a label stand among all unseen ones, averaged over labels; "
    "1 is all of them first, and a label's share of the samples is chance",
    "macro_f1",
)
REGRESSION = Task(
    "regression",
    "r2",
    "the share of the labels' variance that is predicted on unseen samples, averaged over outputs; "
    "0 is what always answering the mean gives",
    "spearman",
)
TOKEN_CLASSIFICATION = Task(
    "token_classification",
    "accuracy",
    "the share of words, in sentences not seen, that get their tag",
    "macro_f1",
)
TASKS = {task.kind: task for task in (CLASSIFICATION, MULTILABEL, REGRESSION, TOKEN_CLASSIFICATION)}


def task_named(name: str) -> Task:
    """The task called `name`.

    Raises:
        UnknownNameError: No task has that name; the message lists those that exist.
    """
    for task in TASKS.values():
        if task.kind == name:
            return task
    raise UnknownNameError(f"`task` must be one of {', '.join(TASKS)}; got {name!r}.")
