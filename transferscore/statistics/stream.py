"""Statistics of rows that come in batches and are not kept."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeAlias

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

Batch: TypeAlias = Sequence[ArrayLike] | Mapping[str, ArrayLike]

_NEEDED = ("features", "labels")
_OPTIONAL = ("source_probabilities", "source_logits")

# Adding rows costs some passes over a d x d matrix, so fewer than this, and than twice the width,
# wait for those that come next; more than fit a block are added in parts.
_LEAST_ROWS = 4096
_BLOCK_BYTES = 64 * 2**20


def statistics_of(
    batches: Iterable[Batch | Statistics],
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
        batches: Each `(features, labels)`, or a mapping of names to arrays as `np.load` gives for
            an npz file: `features`, `labels` and perhaps `source_probabilities` or `source_logits`;
            of any length, also mapped from files; or other `Statistics`. A class may show in some
            batches only.
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


def _parts(batches: Iterable[Batch | Statistics], task: str) -> Iterator[LabelledRows | Summary]:
    """Rows of neither too few nor too many at a time, and summaries as they are."""
    waiting: list[LabelledRows] = []
    width: int | None = None
    for number, batch in enumerate(batches):
        if isinstance(batch, Statistics):
            yield batch.summary
            continue
        arrays = _arrays(batch, number)
        for rows in _blocks(arrays, number, task):
            width = _check_width(rows, width, number)
            waiting.append(rows)
            if sum(map(len, waiting)) >= max(_LEAST_ROWS, 2 * rows.features.shape[1]):
                yield _joined(waiting, number)
                waiting = []
                release_pages(arrays["features"])
    if waiting:
        yield _joined(waiting, number)


def _arrays(batch: Batch, number: int) -> dict[str, NDArray[Any]]:
    """The arrays of a batch by name."""
    if isinstance(batch, Sequence) and len(batch) == len(_NEEDED):
        batch = dict(zip(_NEEDED, batch, strict=True))
    if not isinstance(batch, Mapping) or not all(name in batch for name in _NEEDED):
        raise InputError(
            f"Batch {number} must be (features, labels), a mapping with arrays of these names or "
            f"Statistics; got {type(batch).__name__}."
        )
    given = {name: batch[name] for name in (*_NEEDED, *_OPTIONAL) if name in batch}
    return {n: a if isinstance(a, np.ndarray) else label_array(a) for n, a in given.items()}


def _blocks(arrays: dict[str, NDArray[Any]], number: int, task: str) -> Iterator[LabelledRows]:
    """The rows of one batch, checked, in blocks of bounded memory."""
    features = arrays["features"]
    n = len(features) if features.ndim == 2 else 0
    if n == 0 or any(array.ndim == 0 or len(array) != n for array in arrays.values()):
        # Not splittable into rows: the check of the whole says why.
        yield _checked(arrays, f"Batch {number}", task)
    for rows in row_blocks(n, features.shape[-1], _BLOCK_BYTES):
        place = (
            f"Batch {number}" if rows.start == 0 else f"Batch {number}, from row {rows.start} on"
        )
        yield _checked({name: array[rows] for name, array in arrays.items()}, place, task)


def _checked(arrays: dict[str, NDArray[Any]], place: str, task: str) -> LabelledRows:
    try:
        return check_rows(
            arrays["features"],
            arrays["labels"],
            task=task,
            source_probabilities=arrays.get("source_probabilities"),
            source_logits=arrays.get("source_logits"),
            in_part=True,
        )
    except InputError as error:
        raise InputError(f"{place}: {error}") from None


def _check_width(rows: LabelledRows, width: int | None, number: int) -> int:
    found = int(rows.features.shape[1])
    if width not in {None, found}:
        raise InputError(
            f"Batch {number}: `features` must have as many columns as those before ({width}); "
            f"got {found}."
        )
    return found


def _joined(parts: list[LabelledRows], number: int) -> LabelledRows:
    try:
        return joined_rows(parts) if len(parts) > 1 else parts[0]
    except InputError as error:
        raise InputError(f"Batches up to {number}: {error}") from None
