"""Some rows of a dataset, and what becomes of its classes when rows go."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from transferscore.datasets.dataset import Dataset, Exclusion
from transferscore.errors import DatasetError

__all__ = ["EXAMPLES", "left_out", "select_rows", "settle_labels", "word_groups"]

EXAMPLES = 3


def select_rows(dataset: Dataset, index: NDArray[np.int64]) -> Dataset:
    """The rows of `dataset` at the positions `index` `(m,)`, with the same classes."""
    samples: Any = dataset.samples
    if isinstance(samples, np.ndarray):
        samples = samples[index]
    else:
        samples = tuple(samples[position] for position in index.tolist())
    entries, groups = _label_entries(dataset, index)
    return replace(
        dataset,
        samples=samples,
        labels=dataset.labels[entries],
        rows=dataset.rows[index],
        groups=groups,
    )


def word_groups(samples: Sequence[Any]) -> NDArray[np.int64]:
    """The position of its sentence for each word of all sentences, one after another."""
    return np.repeat(np.arange(len(samples)), [len(sample) for sample in samples])


def _label_entries(
    dataset: Dataset, index: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64] | None]:
    """Where the labels of the rows at `index` are, and the groups of those."""
    if dataset.task.kind != "token_classification":
        return index, None if dataset.groups is None else dataset.groups[index]
    ends = np.cumsum([len(sample) for sample in dataset.samples])
    words = [np.arange(ends[i] - len(dataset.samples[i]), ends[i]) for i in index.tolist()]
    entries = np.concatenate(words) if words else np.empty(0, dtype=np.int64)
    return entries, np.repeat(np.arange(len(index)), [len(part) for part in words])


def settle_labels(dataset: Dataset, where: str) -> Dataset:
    """`dataset` without classes of one sample, the others renumbered in the same order.

    Args:
        dataset: Rows whose labels are final but for that.
        where: The source, for the messages.

    Raises:
        DatasetError: No rows, one class, or one value of a regression are left.
    """
    if dataset.task.kind == "classification":
        dataset = _without_lone_classes(dataset)
    elif dataset.task.kind == "token_classification":
        dataset = _without_lone_tags(dataset)
    if not len(dataset):
        raise DatasetError(f"`{where}` has no usable rows.{left_out(dataset)}")
    if dataset.task.scored_as == "classification" and dataset.n_classes < 2:
        only = f"one class only ({dataset.class_names[0]!r})" if dataset.n_classes else "no classes"
        raise DatasetError(f"`{where}` has {only}; ranking needs at least two.{left_out(dataset)}")
    if dataset.task.kind == "multilabel" and not dataset.n_classes:
        raise DatasetError(
            f"`{where}` has no label that at least two rows have and two lack.{left_out(dataset)}"
        )
    if dataset.task.kind == "regression" and bool((dataset.labels == dataset.labels[0]).all()):
        raise DatasetError(
            f"`{where}` has the same label ({dataset.labels[0]}) in every row; "
            f"ranking needs labels that differ.{left_out(dataset)}"
        )
    return dataset


def left_out(dataset: Dataset) -> str:
    """Sentences, each with a space before it, that say what was left out."""
    return "".join(f" {exclusion}." for exclusion in dataset.exclusions)


def _without_lone_classes(dataset: Dataset) -> Dataset:
    counts = np.bincount(dataset.labels, minlength=dataset.n_classes)
    if not (counts < 2).any():
        return dataset
    remaining = select_rows(dataset, np.flatnonzero(counts[dataset.labels] >= 2))
    return _renumbered(remaining, counts, _lone_classes)


def _without_lone_tags(dataset: Dataset) -> Dataset:
    """Words whose tag no other word has lose it; their sentences stay."""
    known = dataset.labels[dataset.labels >= 0]
    counts = np.bincount(known, minlength=dataset.n_classes)
    return _renumbered(dataset, counts, _lone_tags) if (counts < 2).any() else dataset


def _renumbered(
    dataset: Dataset, counts: NDArray[np.int64], remark: Callable[[int], tuple[str, int]]
) -> Dataset:
    """`dataset` with only the classes that `counts` `(K,)` shows twice; the others become -1."""
    kept = np.flatnonzero(counts >= 2)
    renumbered = np.full(len(counts) + 1, -1, dtype=np.int64)
    renumbered[kept] = np.arange(len(kept))
    lone = [dataset.class_names[position] for position in np.flatnonzero(counts == 1)]
    return replace(
        dataset,
        labels=renumbered[dataset.labels],
        class_names=tuple(dataset.class_names[position] for position in kept),
        exclusions=dataset.exclusions + _lone_exclusion(lone, remark),
    )


def _lone_exclusion(
    names: list[str], remark: Callable[[int], tuple[str, int]]
) -> tuple[Exclusion, ...]:
    if not names:
        return ()
    examples = tuple(repr(name) for name in names[:EXAMPLES])
    return (Exclusion(*remark(len(names)), examples),)


def _lone_classes(count: int) -> tuple[str, int]:
    return "the only sample of a class", count


def _lone_tags(count: int) -> tuple[str, int]:
    words = "1 word is" if count == 1 else f"{count} words are"
    return f"{words} not scored, whose tag no other word has", 0
