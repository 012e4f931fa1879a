"""Summaries: what is kept of rows that are not, and adds up over batches, shards and machines."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from transferscore.errors import InputError
from transferscore.statistics.labelled import LabelledRows
from transferscore.statistics.moments import Moments, merge_moments, moments
from transferscore.statistics.sample import RowSample, merge_samples, sample_of

__all__ = ["SAMPLE_ROWS", "Summary", "add_rows", "merge_summaries", "summary_of"]

SAMPLE_ROWS = 4096
"""Rows kept for the scores that do not live on moments."""


@dataclass(frozen=True, slots=True)
class Summary:
    """Moments of all rows of a task, and a bounded sample of the rows themselves.

    Attributes:
        task: "classification", "multilabel" or "regression".
        moments: Of all rows.
        sample: Some of the rows; all where `is_whole`.
    """

    task: str
    moments: Moments
    sample: RowSample

    @property
    def classes(self) -> NDArray[Any] | None:
        """The labels that target columns stand for `(K,)`, sorted; None for numbers."""
        return self.sample.rows.targets.classes

    @property
    def is_whole(self) -> bool:
        """Whether the sample holds every row."""
        return len(self.sample.rows) == self.moments.count


def summary_of(
    rows: LabelledRows, task: str, sample_size: int = SAMPLE_ROWS, seed: int = 0
) -> Summary:
    """The summary of rows in memory."""
    sample = sample_of(rows, sample_size, seed)
    return Summary(task, moments(rows.features, rows.targets), sample)


def add_rows(summary: Summary, rows: LabelledRows) -> Summary:
    """The summary of its rows and some more.

    Raises:
        InputError: The rows have another width or other labels.
    """
    own = summary.sample
    sample = sample_of(rows, own.size, own.seed, own.limit)
    added = Summary(summary.task, moments(rows.features, rows.targets), sample)
    return merge_summaries(summary, added)


def merge_summaries(a: Summary, b: Summary) -> Summary:
    """The summary of the rows of both, in any order; classes that one has not seen are no trouble.

    Raises:
        InputError: Other tasks, widths, kinds of labels or seeds.
    """
    if a.task != b.task:
        raise InputError(f"Only statistics of one task can be merged; got {a.task} and {b.task}.")
    sample = merge_samples(a.sample, b.sample)
    classes = sample.rows.targets.classes
    merged = merge_moments(
        _spread(a.moments, a.classes, classes), _spread(b.moments, b.classes, classes)
    )
    return Summary(a.task, merged, sample)


def _spread(own: Moments, classes: NDArray[Any] | None, wider: NDArray[Any] | None) -> Moments:
    """The same with target columns for more classes, of which no row is one."""
    if classes is None or wider is None or len(classes) == len(wider):
        return own
    columns, k = np.searchsorted(wider, classes), len(wider)
    target_mean, target_scatter = np.zeros(k), np.zeros((k, k))
    cross = np.zeros((len(own.mean), k))
    target_mean[columns], cross[:, columns] = own.target_mean, own.cross
    target_scatter[np.ix_(columns, columns)] = own.target_scatter
    return replace(own, target_mean=target_mean, cross=cross, target_scatter=target_scatter)
