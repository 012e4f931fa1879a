"""Statistics of rows that come in batches and are not kept."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from transferscore.errors import InputError
from transferscore.statistics.labelled import LabelledRows, check_rows, joined_rows
from transferscore.statistics.rows import release_pages, row_blocks
from transferscore.statistics.statistics import Statistics
from transferscore.statistics.summary import (
    SAMPLE_ROWS,
    Summary,
    add_rows,
    merge_summaries,
    summary_of,
)
from transferscore.statistics.targets import label_array

__all__ = ["statistics_of"]

# Fewer rows than this are added together with those that come next.
_LEAST_ROWS = 1024


def statistics_of(
    batches: Iterable[Sequence[ArrayLike] | Statistics],
    *,
    task: str = "classification",
    sample_size: int = SAMPLE_ROWS,
    seed: int = 0,
) -> Statistics:
    """Statistics of rows that come in batches, each of which is forgotten once it was read.

    Memory is some d x d matrices and the sample, however many rows there are. Any order and any
    split of the rows give the same statistics but for rounding, and the same sample: which rows
    are kept is decided by a random number that each row's content and the seed give it.

    Args:
        batches: Each `(features, labels)` or `(features, labels, source_probabilities)`, of any
            length, arrays mapped from files among them, or other `Statistics`. A class may show in
            some batches only.
        task: "classification", "multilabel" or "regression".
        sample_size: Rows kept for the scores that do not live on moments.
        seed: Of the choice of these rows.

    Returns:
        Statistics that can be scored, saved, merged and added to.

    Raises:
        InputError: There is no batch, one is not finite, or widths or labels do not fit.
        UnknownNameError: No task of that name.

    Examples:
        >>> batches = [([[1, 0], [2, 1]], [0, 0]), ([[0, 1], [1, 2], [3, 1]], [1, 1, 0])]
        >>> statistics = statistics_of(batches)
        >>> statistics.n_samples, statistics.class_counts.tolist()
        (5, [3, 2])
    """
    summary: Summary | None = None
    for part in _parts(batches, task):
        if isinstance(part, Summary):
            summary = part if summary is None else merge_summaries(summary, part)
        elif summary is None:
            summary = summary_of(part, task, sample_size, seed)
        else:
            summary = add_rows(summary, part)
    if summary is None:
        raise InputError("`batches` must hold at least one batch of rows; it is empty.")
    return Statistics.of_summary(summary)


def _parts(
    batches: Iterable[Sequence[ArrayLike] | Statistics], task: str
) -> Iterator[LabelledRows | Summary]:
    """Rows of neither too few nor too many at a time, and summaries as they are."""
    waiting: list[LabelledRows] = []
    for number, batch in enumerate(batches):
        if isinstance(batch, Statistics):
            yield batch.summary
            continue
        for rows in _blocks(batch, number, task):
            waiting.append(rows)
            if sum(map(len, waiting)) >= max(_LEAST_ROWS, rows.features.shape[1]):
                yield _joined(waiting, number)
                waiting = []
                release_pages(batch[0])
    if waiting:
        yield _joined(waiting, number)


def _blocks(batch: Sequence[ArrayLike], number: int, task: str) -> Iterator[LabelledRows]:
    """The rows of one batch, checked, in blocks of bounded memory."""
    if not isinstance(batch, Sequence) or len(batch) not in {2, 3}:
        raise InputError(
            f"Batch {number} must be (features, labels), (features, labels, source_probabilities) "
            f"or Statistics; got {type(batch).__name__}."
        )
    arrays = [part if isinstance(part, np.ndarray) else label_array(part) for part in batch]
    n = len(arrays[0]) if arrays[0].ndim == 2 else 0
    if n == 0 or any(array.ndim == 0 or len(array) != n for array in arrays):
        # Not splittable into rows: the check of the whole says why.
        yield _checked(arrays, f"Batch {number}", task)
    for rows in row_blocks(n, arrays[0].shape[-1]):
        place = (
            f"Batch {number}" if rows.start == 0 else f"Batch {number}, from row {rows.start} on"
        )
        yield _checked([array[rows] for array in arrays], place, task)


def _checked(arrays: list[NDArray[Any]], place: str, task: str) -> LabelledRows:
    source = arrays[2] if len(arrays) > 2 else None
    try:
        return check_rows(
            arrays[0], arrays[1], task=task, source_probabilities=source, in_part=True
        )
    except InputError as error:
        raise InputError(f"{place}: {error}") from None


def _joined(parts: list[LabelledRows], number: int) -> LabelledRows:
    try:
        return joined_rows(parts) if len(parts) > 1 else parts[0]
    except InputError as error:
        raise InputError(f"Batches up to {number}: {error}") from None
