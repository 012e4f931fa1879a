"""From the rows that a reader found to a Dataset: split, labels, task, and what is left out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from transferscore.datasets.copies import remarks_on_copies
from transferscore.datasets.dataset import Dataset, Exclusion, Modality
from transferscore.datasets.encoding import Column, LabelSource, encode_labels, regular_rows
from transferscore.datasets.labels import guess_task, is_row, label_text
from transferscore.datasets.selection import EXAMPLES, settle_labels, word_groups
from transferscore.datasets.splits import choose_split
from transferscore.datasets.task import TOKEN_CLASSIFICATION, Task, task_named

__all__ = ["Column", "SourceRows", "assemble"]


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
        output_names: Names of the labels' columns, where they are several.
        groups: What rows that belong together have in common; None where each is alone.
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
    output_names: tuple[str, ...] = ()
    groups: Sequence[Any] | None = None


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
    labels = regular_rows(_taken(source.labels, index))
    samples = cast(Sequence[Any], _taken(source.samples, index))
    chosen = _task(task) if task is not None else _guessed(source, labels)
    is_words = source.modality == "tokens"
    encoded = encode_labels(
        LabelSource(
            source.where,
            labels,
            lambda row: source.place(int(index[row])),
            source.label_names,
            source.output_names,
            [len(sample) for sample in samples] if is_words else (),
        ),
        chosen,
    )
    dataset = Dataset(
        name=source.name,
        modality=source.modality,
        task=chosen,
        samples=samples,
        labels=encoded.values,
        class_names=encoded.class_names,
        rows=index,
        n_source_rows=len(source.labels),
        split=split_name,
        exclusions=(
            *source.exclusions,
            *exclusions,
            *encoded.remarks,
            *remarks_on_copies(source.samples, index, source.splits, split_name),
        ),
        groups=word_groups(samples) if is_words else _groups(source, index),
    )
    return settle_labels(dataset, source.where)


def _guessed(source: SourceRows, labels: Column) -> Task:
    return TOKEN_CLASSIFICATION if source.modality == "tokens" else guess_task(labels)


def _groups(source: SourceRows, index: NDArray[np.int64]) -> NDArray[np.int64] | None:
    """Rows that belong together by number; a row without a group is alone."""
    if source.groups is None:
        return None
    texts = [label_text(source.groups[row]) for row in index.tolist()]
    named = [text if text is not None else f"\0{row}" for row, text in enumerate(texts)]
    return np.unique(named, return_inverse=True)[1].astype(np.int64)


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
    texts = [is_row(label) or label_text(label) is not None for label in labels]
    return ~np.array(texts, dtype=np.bool_)


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
