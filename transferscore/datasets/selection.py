"""Some rows of a dataset, and what becomes of its classes when rows go."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from transferscore.datasets.dataset import Dataset, Exclusion
from transferscore.errors import DatasetError

__all__ = ["EXAMPLES", "left_out", "select_rows", "settle_labels"]

EXAMPLES = 3


def select_rows(dataset: Dataset, index: NDArray[np.int64]) -> Dataset:
    """The rows of `dataset` at the positions `index` `(m,)`, with the same classes."""
    samples: Any = dataset.samples
    if isinstance(samples, np.ndarray):
        samples = samples[index]
    else:
        samples = tuple(samples[position] for position in index.tolist())
    return replace(
        dataset,
        samples=samples,
        labels=dataset.labels[index],
        rows=dataset.rows[index],
    )


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
    if not len(dataset):
        raise DatasetError(f"`{where}` has no usable rows.{left_out(dataset)}")
    if dataset.task.kind == "classification" and dataset.n_classes < 2:
        raise DatasetError(
            f"`{where}` has one class only ({dataset.class_names[0]!r}); "
            f"ranking needs at least two.{left_out(dataset)}"
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
    kept = np.flatnonzero(counts >= 2)
    renumbered = np.full(len(counts), -1, dtype=np.int64)
    renumbered[kept] = np.arange(len(kept))
    lone = [dataset.class_names[position] for position in np.flatnonzero(counts == 1)]
    remaining = select_rows(dataset, np.flatnonzero(counts[dataset.labels] >= 2))
    return replace(
        remaining,
        labels=renumbered[remaining.labels],
        class_names=tuple(dataset.class_names[position] for position in kept),
        exclusions=dataset.exclusions + _lone_exclusion(lone),
    )


def _lone_exclusion(names: list[str]) -> tuple[Exclusion, ...]:
    if not names:
        return ()
    examples = tuple(repr(name) for name in names[:EXAMPLES])
    return (Exclusion("the only sample of a class", len(names), examples),)
