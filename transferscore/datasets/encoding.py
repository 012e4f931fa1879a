"""Raw labels of the usable rows as the numbers that a task wants."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from transferscore.datasets.dataset import Exclusion
from transferscore.datasets.labels import encode_classes, is_row, label_text, number_of
from transferscore.datasets.selection import EXAMPLES
from transferscore.datasets.task import Task
from transferscore.errors import DatasetError

__all__ = ["Column", "EncodedLabels", "LabelSource", "encode_labels", "regular_rows"]

Column: TypeAlias = Sequence[Any] | NDArray[Any]
_IGNORED = "-100"  # what tokenizing scripts put where a word has no tag
_LEAST = 2  # a label that only one row has, or lacks, cannot be learnt from and tested on


@dataclass(frozen=True, slots=True)
class LabelSource:
    """Labels of the usable rows, and where they came from.

    Attributes:
        where: The source, for messages.
        labels: The raw labels, none of them missing.
        place: Names the k-th of these rows for a person.
        names: Name to show for a label.
        output_names: Names of the columns, where the labels are several columns.
        lengths: For words' tags, how many words each row has.
    """

    where: str
    labels: Column
    place: Callable[[int], str]
    names: Mapping[str, str]
    output_names: Sequence[str] = ()
    lengths: Sequence[int] = ()


@dataclass(frozen=True, slots=True)
class EncodedLabels:
    """Labels as numbers.

    Attributes:
        values: As `Dataset.labels`.
        class_names: As `Dataset.class_names`.
        remarks: What a reader should know of them.
    """

    values: NDArray[Any]
    class_names: tuple[str, ...]
    remarks: tuple[Exclusion, ...] = ()


def encode_labels(source: LabelSource, task: Task) -> EncodedLabels:
    """The labels as `task` wants them.

    Raises:
        DatasetError: They do not fit the task; the message says which, and where.
    """
    encoders = {
        "classification": _classes,
        "multilabel": _indicators,
        "regression": _numbers,
        "token_classification": _tags,
    }
    return encoders[task.kind](source)


def regular_rows(labels: Column) -> Column:
    """Rows of numbers of one length as an array `(n, m)`; anything else as it is."""
    if isinstance(labels, np.ndarray) or not len(labels) or not all(map(is_row, labels)):
        return labels
    lengths = {len(row) for row in labels}
    if len(lengths) > 1 or lengths == {0}:
        return labels
    values = np.array([list(row) for row in labels])
    if values.dtype.kind not in "biuf" or values.ndim != 2:
        return labels
    return values[:, 0] if values.shape[1] == 1 else values


def _classes(source: LabelSource) -> EncodedLabels:
    labels = source.labels
    if isinstance(labels, np.ndarray) and labels.ndim == 2:
        raise DatasetError(
            f"`{source.where}` has {labels.shape[1]} labels a row, but classification takes one; "
            "pass one class a row, or task='multilabel'."
        )
    values = labels.tolist() if isinstance(labels, np.ndarray) else labels
    for row, value in enumerate(values):
        if is_row(value):
            raise DatasetError(
                f"`{source.where}` has a list of labels in {source.place(row)}, but classification "
                "takes one; give one class a row, or a list in every row for task='multilabel'."
            )
    texts = [str(label_text(label)) for label in values]
    ids, names = encode_classes(texts, source.names, source.where)
    return EncodedLabels(ids, names, _mixed(values, source.place))


def _mixed(values: Sequence[Any], place: Callable[[int], str]) -> tuple[Exclusion, ...]:
    """A remark where some labels are texts and others numbers."""
    is_text = np.array([isinstance(value, str) for value in values], dtype=np.bool_)
    if not is_text.any() or is_text.all():
        return ()
    rarer = np.flatnonzero(is_text if is_text.mean() <= 0.5 else ~is_text)[:EXAMPLES]
    examples = tuple(f"{values[row]!r} in {place(row)}" for row in rarer.tolist())
    reason = "some labels are texts and others numbers; all are read as names of classes"
    return (Exclusion(reason, 0, examples),)


def _indicators(source: LabelSource) -> EncodedLabels:
    labels = source.labels
    if isinstance(labels, np.ndarray) and labels.ndim == 2 and np.isin(labels, (0, 1)).all():
        columns = source.output_names or [str(column) for column in range(labels.shape[1])]
        names = [source.names.get(column, column) for column in columns]
        return _learnable(labels.astype(np.float64), names)
    rows = [row.tolist() if isinstance(row, np.ndarray) else row for row in labels]
    if not all(is_row(row) for row in rows):
        raise DatasetError(
            f"`{source.where}` must have a list of names, or a row of zeros and ones, per sample "
            "for task='multilabel'."
        )
    texts = [[str(label_text(label)) for label in row] for row in rows]
    flat, names_of = encode_classes(
        [text for row in texts for text in row], source.names, source.where
    )
    values = np.zeros((len(rows), len(names_of)))
    values[np.repeat(np.arange(len(rows)), [len(row) for row in texts]), flat] = 1.0
    return _learnable(values, names_of)


def _learnable(values: NDArray[np.float64], names: Sequence[str]) -> EncodedLabels:
    """The labels that at least two rows have and at least two lack."""
    counts = values.sum(axis=0)
    kept = np.flatnonzero((counts >= _LEAST) & (len(values) - counts >= _LEAST))
    gone = tuple(name for column, name in enumerate(names) if column not in kept)
    remarks: tuple[Exclusion, ...] = ()
    if gone:
        noun = "1 label is" if len(gone) == 1 else f"{len(gone)} labels are"
        reason = f"{noun} left out, which fewer than two rows have or fewer than two lack"
        remarks = (Exclusion(reason, 0, gone[:EXAMPLES]),)
    return EncodedLabels(values[:, kept], tuple(names[column] for column in kept.tolist()), remarks)


def _numbers(source: LabelSource) -> EncodedLabels:
    labels = source.labels
    if isinstance(labels, np.ndarray) and labels.ndim == 2 and labels.dtype.kind in "biuf":
        if not np.isfinite(labels).all():
            row = int(np.flatnonzero(~np.isfinite(labels).all(axis=1))[0])
            raise DatasetError(_not_a_number(source, row, "an infinite value"))
        return EncodedLabels(labels.astype(np.float64), ())
    values = labels.tolist() if isinstance(labels, np.ndarray) else labels
    rows = [[number_of(v) for v in (row if is_row(row) else [row])] for row in values]
    for position, numbers_of_row in enumerate(rows):
        if None in numbers_of_row or len(numbers_of_row) != len(rows[0]):
            raise DatasetError(_not_a_number(source, position, repr(values[position])))
    numbers = np.array(rows, dtype=np.float64)
    return EncodedLabels(numbers[:, 0] if numbers.shape[1:] == (1,) else numbers, ())


def _not_a_number(source: LabelSource, row: int, got: str) -> str:
    return (
        f"`{source.where}` must have finite numbers as labels for task='regression'; "
        f"got {got} in {source.place(row)}."
    )


def _tags(source: LabelSource) -> EncodedLabels:
    if not source.lengths:
        raise DatasetError(
            f"`{source.where}` must have a column of lists of words for "
            "task='token_classification', and a list of as many tags beside it."
        )
    texts: list[str | None] = []
    for row, (tags, length) in enumerate(zip(source.labels, source.lengths, strict=True)):
        if not is_row(tags) or len(tags) != length:
            got = f"{len(tags)} tags" if is_row(tags) else repr(tags)
            raise DatasetError(
                f"Each row of `{source.where}` must have one tag per word; "
                f"{source.place(row)} has {length} words and {got}."
            )
        texts += [None if (text := label_text(tag)) == _IGNORED else text for tag in tags]
    known = [position for position, text in enumerate(texts) if text is not None]
    ids, names = encode_classes([str(texts[k]) for k in known], source.names, source.where)
    values = np.full(len(texts), -1, dtype=np.int64)
    values[known] = ids
    remarks = _untagged(len(texts) - len(known))
    return EncodedLabels(values, names, remarks)


def _untagged(count: int) -> tuple[Exclusion, ...]:
    if not count:
        return ()
    words = "1 word has" if count == 1 else f"{count} words have"
    return (Exclusion(f"{words} no tag; only the others are scored", 0),)
