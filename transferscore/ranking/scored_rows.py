"""Which rows of a model's features have a label, and which of them belong together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from transferscore.datasets import Dataset, drop_rows
from transferscore.errors import InputError
from transferscore.features import Features

__all__ = ["ScoredRows", "scored_rows"]


@dataclass(frozen=True, slots=True)
class ScoredRows:
    """The rows of a model's features that are scored.

    Attributes:
        kept: `(k,)` bool, which of the rows of `Features.values` they are.
        labels: Their m labels.
        groups: `(m,)` which belong together, or None where each is alone.
        units: Positions in the dataset of what is drawn again together: rows, or groups.
        lost: What was left out, in a sentence; "" for nothing.
    """

    kept: NDArray[np.bool_]
    labels: NDArray[Any]
    groups: NDArray[np.int64] | None
    units: NDArray[np.int64]
    lost: str = ""


def scored_rows(features: Features, dataset: Dataset) -> ScoredRows:
    """The rows that could be read and have a label.

    Raises:
        InputError: Too few are left, or there is not a row for each sample, or word of it.
    """
    if dataset.task.kind == "token_classification":
        return _words(features, dataset)
    target, rows = _readable(features, dataset)
    kept = np.isin(np.flatnonzero(features.kept), rows)
    if target.groups is None:
        return ScoredRows(kept, target.labels, None, rows)
    return ScoredRows(kept, target.labels, target.groups, np.unique(target.groups))


def _readable(features: Features, dataset: Dataset) -> tuple[Dataset, NDArray[np.int64]]:
    """The dataset without the samples that could not be read, and which rows those are."""
    if features.kept.all():
        return dataset, np.arange(len(dataset))
    target = drop_rows(dataset, features.kept, "cannot be read")
    return target, np.flatnonzero(np.isin(dataset.rows, target.rows))


def _words(features: Features, dataset: Dataset) -> ScoredRows:
    """The words that have a row and a tag; those beyond what a model reads have no row."""
    if dataset.groups is None or len(features.kept) != len(dataset.labels):
        raise InputError(
            f"`{features.model}` must give one row per word ({len(dataset.labels)}) to be ranked "
            f"for token classification; it gives rows for {len(features.kept)}. Use a model that "
            "reads words, such as a transformers text model."
        )
    tagged = dataset.labels >= 0
    scored = features.kept & tagged
    groups = dataset.groups[scored]
    return ScoredRows(
        tagged[features.kept],
        dataset.labels[scored],
        groups,
        np.unique(groups),
        _lost(int((tagged & ~features.kept).sum()), int(tagged.sum())),
    )


def _lost(n_lost: int, n_words: int) -> str:
    if not n_lost:
        return ""
    return (
        f"{n_lost} of {n_words} words ({n_lost / n_words:.1%}) lie beyond what the model reads of "
        "a sentence, and are left out together with their tags."
    )
