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
    """

    kind: TaskKind
    metric: str

    @property
    def scored_as(self) -> str:
        """The task that scores see: each word of a token classification is a row with a class."""
        return "classification" if self.kind == "token_classification" else self.kind


CLASSIFICATION = Task("classification", "accuracy")
MULTILABEL = Task("multilabel", "r2")
REGRESSION = Task("regression", "r2")
TOKEN_CLASSIFICATION = Task("token_classification", "accuracy")
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
