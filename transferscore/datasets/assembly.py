"""From the rows that a reader found to a Dataset: split, labels, task, and what is left out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias, cast

import numpy as np
from numpy.typing import NDArray

from transferscore.datasets.dataset import Dataset, Exclusion, Modality
from transferscore.datasets.labels import encode_classes, guess_task, label_text, number_of
from transferscore.datasets.selection import EXAMPLES, settle_labels
from transferscore.datasets.splits import choose_split
from transferscore.datasets.task import Task, task_named
from transferscore.errors import DatasetError

__all__ = ["Column", "SourceRows", "assemble"]

Column: TypeAlias = Sequence[Any] | NDArray[Any]


@dataclass(frozen=True, slots=True)
class SourceRows:
    """All rows of a source, in its order, as a reader found them.

    Attributes:
        where: The source as the user wrote it, for messages.
        name: Short name for the report.
        modality: What the samples are.
        samples: The n samples, None for one that is not there; or an array with n rows.
        labels: n raw labels, None for one that is not there; or an array `(n,)` or `(n, m)`.
        place: Names a row for a person: "line 12", a file name.
        splits: Split of each row, "" for a row in none; None where the source has none.
        label_names: Name to show for a label.
        absent: Why a sample can be None, in words that end a sentence.
        exclusions: What the reader itself has to say of things that are no rows.
    """

    where: str
    name: str
    modality: Modality
    samples: Column
    labels: Column
    place: Callable[[int], str]
    splits: Sequence[str] | None = None
    label_names: Mapping[str, str] = field(default_factory=dict)
    absent: str = "have no sample"
    exclusions: tuple[Exclusion, ...] = ()


def assemble(source: SourceRows, task: str | Task | None, split: str | None) -> Dataset:
    """The Dataset of the rows of one split that have a sample and a label.

    Args:
        source: What a reader found.
        task: What is to be learnt; None to go by the labels.
        split: The split to read; None for the train split, or all rows where there are none.

    Raises:
        DatasetError: The split is not there, labels do not fit the task, or too little is left.
    """
    index, split_name, exclusions = _usable_rows(source, split)
    labels = _taken(source.labels, index)
    chosen = guess_task(labels) if task is None else _task(task)
    encoded, class_names = _encoded(source, labels, index, chosen)
    dataset = Dataset(
        name=source.name,
        modality=source.modality,
        task=chosen,
        samples=cast(Sequence[Any], _taken(source.samples, index)),
        labels=encoded,
        class_names=class_names,
        rows=index,
        n_source_rows=len(source.labels),
        split=split_name,
        exclusions=(*source.exclusions, *exclusions),
    )
    return settle_labels(dataset, source.where)


def _task(task: str | Task) -> Task:
    return task_named(task) if isinstance(task, str) else task


def _usable_rows(
    source: SourceRows, split: str | None
) -> tuple[NDArray[np.int64], str | None, list[Exclusion]]:
    """Positions of the rows to keep, the name of their split, and why the others go."""
    chosen, split_name = choose_split(source.splits, split, source.where)
    rows = np.ones(len(source.labels), dtype=np.bool_) if chosen is None else chosen
    no_split = np.zeros_like(rows)
    if chosen is not None and source.splits is not None:
        no_split = np.array([not name for name in source.splits], dtype=np.bool_)
    unlabelled = rows & _missing_labels(source.labels)
    absent = rows & ~unlabelled & _missing_samples(source.samples)
    reasons = ((no_split, "have no split"), (unlabelled, "have no label"), (absent, source.absent))
    exclusions = [_exclusion(source, mask, reason) for mask, reason in reasons if mask.any()]
    return np.flatnonzero(rows & ~unlabelled & ~absent), split_name, exclusions


def _missing_labels(labels: Column) -> NDArray[np.bool_]:
    if isinstance(labels, np.ndarray) and labels.dtype.kind in "biuf":
        missing = np.isnan(labels) if labels.dtype.kind == "f" else np.zeros(labels.shape, np.bool_)
        return np.asarray(missing.reshape(len(labels), -1).any(axis=1), dtype=np.bool_)
    return np.array([label_text(label) is None for label in labels], dtype=np.bool_)


def _missing_samples(samples: Column) -> NDArray[np.bool_]:
    if isinstance(samples, np.ndarray):
        return np.zeros(len(samples), dtype=np.bool_)
    return np.array([sample is None for sample in samples], dtype=np.bool_)


def _exclusion(source: SourceRows, mask: NDArray[np.bool_], reason: str) -> Exclusion:
    rows = np.flatnonzero(mask)
    examples = tuple(source.place(row) for row in rows[:EXAMPLES].tolist())
    return Exclusion(reason, len(rows), examples)


def _taken(values: Column, index: NDArray[np.int64]) -> Column:
    """`values` at `index`; an array of which all rows stay is not copied."""
    if isinstance(values, np.ndarray):
        return values if len(index) == len(values) else values[index]
    return tuple(values[row] for row in index.tolist())


def _encoded(
    source: SourceRows, labels: Column, index: NDArray[np.int64], task: Task
) -> tuple[NDArray[Any], tuple[str, ...]]:
    """Labels of the rows at `index` as `task` wants them, and the names of its classes."""
    if task.kind == "multilabel":
        return _indicators(source.where, labels), tuple(map(str, range(np.shape(labels)[-1])))
    if task.kind == "regression":
        return _numbers(source, labels, index), ()
    if isinstance(labels, np.ndarray) and labels.ndim == 2:
        raise DatasetError(
            f"`{source.where}` has {labels.shape[1]} labels a row, but classification takes one; "
            "pass one class a row, or task='multilabel'."
        )
    values = labels.tolist() if isinstance(labels, np.ndarray) else labels
    texts = [str(label_text(label)) for label in values]
    return encode_classes(texts, source.label_names, source.where)


def _indicators(where: str, labels: Column) -> NDArray[np.float64]:
    if not isinstance(labels, np.ndarray) or labels.ndim != 2 or not np.isin(labels, (0, 1)).all():
        raise DatasetError(
            f"`{where}` must have a row of zeros and ones per sample for task='multilabel': "
            "`labels` as an array of shape (n_samples, n_labels)."
        )
    return labels.astype(np.float64)


def _numbers(source: SourceRows, labels: Column, index: NDArray[np.int64]) -> NDArray[np.float64]:
    if isinstance(labels, np.ndarray) and labels.ndim == 2 and labels.dtype.kind in "biuf":
        if not np.isfinite(labels).all():
            row = index[np.flatnonzero(~np.isfinite(labels).all(axis=1))[0]]
            raise DatasetError(_not_a_number(source, int(row), "an infinite value"))
        return labels.astype(np.float64)
    values = labels.tolist() if isinstance(labels, np.ndarray) else labels
    numbers = [number_of(label) for label in values]
    if None in numbers:
        position = numbers.index(None)
        raise DatasetError(_not_a_number(source, int(index[position]), repr(values[position])))
    return np.array(numbers, dtype=np.float64)


def _not_a_number(source: SourceRows, row: int, got: str) -> str:
    return (
        f"`{source.where}` must have finite numbers as labels for task='regression'; "
        f"got {got} in {source.place(row)}."
    )
