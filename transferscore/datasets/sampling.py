"""Fewer rows of a dataset, and the identity of each."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from transferscore.datasets.dataset import Dataset, Exclusion
from transferscore.datasets.rows import TableRow
from transferscore.datasets.selection import EXAMPLES, select_rows, settle_labels
from transferscore.datasets.texts import TextPair, TokenSequence
from transferscore.errors import DatasetError

__all__ = ["drop_rows", "sample_dataset", "sample_digests"]

_FLOOR = 5  # a class that five folds can each hold out once
_LEAST = 2  # a class of one sample cannot be learnt from and tested on


def sample_dataset(dataset: Dataset, max_samples: int | None, seed: int) -> Dataset:
    """At most `max_samples` rows, drawn at random, in their old order.

    Classes keep their shares, but none goes below min(its size, 5), or where `max_samples` is too
    small for that, below the largest such floor that fits, and never below 2. Rows of other tasks,
    the sentences of a token classification among them, are drawn uniformly. The same
    seed draws the same rows.

    Args:
        dataset: What to draw from.
        max_samples: How many rows at most; None for all.
        seed: Seed of the draw.

    Raises:
        DatasetError: `max_samples` is less than two rows per class.
    """
    if max_samples is None:
        return dataset
    _check_enough(dataset, max_samples)
    if max_samples >= len(dataset):
        return dataset
    if dataset.task.kind == "classification":
        groups = dataset.labels
        quotas = _quotas(np.bincount(groups, minlength=dataset.n_classes), max_samples)
    else:
        groups, quotas = np.zeros(len(dataset), dtype=np.int64), np.array([max_samples])
    return select_rows(dataset, _drawn(groups, quotas, seed))


def drop_rows(
    dataset: Dataset, keep_mask: NDArray[np.bool_], reason: str, examples: Sequence[str] = ()
) -> Dataset:
    """`dataset` without the rows that turned out to be unusable, and an Exclusion that says so.

    Classes that have one sample left go too, and the others are renumbered.

    Args:
        dataset: What to take them from.
        keep_mask: `(n,)` bool, True for the rows that stay.
        reason: Why the others go, in words that end a sentence.
        examples: A few of them, as a person would name them.

    Raises:
        DatasetError: The mask does not fit, or fewer than two classes are left.
    """
    mask = np.asarray(keep_mask)
    if mask.dtype != np.bool_ or mask.shape != (len(dataset),):
        raise DatasetError(
            f"`keep_mask` must be a bool array of shape ({len(dataset)},); "
            f"got {mask.dtype} of shape {mask.shape}."
        )
    if mask.all():
        return dataset
    dropped = Exclusion(reason, int((~mask).sum()), tuple(examples)[:EXAMPLES])
    kept = select_rows(dataset, np.flatnonzero(mask))
    kept = replace(kept, exclusions=(*dataset.exclusions, dropped))
    return settle_labels(kept, dataset.name)


def sample_digests(dataset: Dataset) -> list[str]:
    """Hex SHA-256 of each sample's modality and content: equal where, and only where, both are.

    Content is the bytes of an image or audio file, the UTF-8 of texts, the values of a table's row
    with the names of its columns, or dtype, shape and bytes of an array's row.

    Raises:
        SampleError: The file of an image or a sound cannot be read.
    """
    kind = dataset.modality.encode()
    if dataset.modality in ("image", "audio"):
        return [_digest(kind, sample.digest().encode()) for sample in dataset.samples]
    if dataset.modality != "array":
        return [_digest(kind, *_encoded(sample)) for sample in dataset.samples]
    rows = np.asarray(dataset.samples)
    kind = f"{rows.dtype.str} {rows.shape[1:]}".encode()
    return [_digest(b"array", kind, row.tobytes()) for row in rows]


def _encoded(sample: Any) -> list[bytes]:
    """The texts of a sample, of lengths known in advance so that none runs into the next."""
    match sample:
        case TextPair():
            texts: Sequence[str] = (sample.first, sample.second)
        case TokenSequence():
            texts = sample.words
        case TableRow():
            texts = [repr(pair) for pair in zip(sample.columns, sample.values, strict=True)]
        case _:
            texts = [sample]
    # JSON can hold half a surrogate pair, which plain UTF-8 refuses to write.
    encoded = [text.encode("utf-8", "surrogatepass") for text in texts]
    lengths = [] if len(encoded) == 1 else [json.dumps([len(text) for text in encoded]).encode()]
    return [*lengths, *encoded]


def _digest(*parts: bytes) -> str:
    return hashlib.sha256(b"\0".join(parts)).hexdigest()


def _check_enough(dataset: Dataset, max_samples: int) -> None:
    in_classes = dataset.task.kind == "classification"
    least = _LEAST * max(dataset.n_classes if in_classes else 1, 1)
    if max_samples < least:
        reason = f", two for each of the {least // 2} classes" if in_classes else ""
        raise DatasetError(f"`max_samples` must be at least {least}{reason}; got {max_samples}.")


def _quotas(counts: NDArray[np.int64], total: int) -> NDArray[np.int64]:
    """How many rows of each class to draw, `total` in all, for classes of these sizes `(K,)`."""
    floor = next(
        np.minimum(counts, floor)
        for floor in range(_FLOOR, _LEAST - 1, -1)
        if np.minimum(counts, floor).sum() <= total or floor == _LEAST
    )
    at_floor = np.zeros(len(counts), dtype=np.bool_)
    while True:
        budget, size = total - floor[at_floor].sum(), max(counts[~at_floor].sum(), 1)
        below = ~at_floor & (counts * budget < floor * size)
        if not below.any():
            break
        at_floor |= below
    # In integers: with floats a share of exactly 7 rows can come out as 6.
    quotas = np.where(at_floor, floor, counts * budget // size)
    rest = np.where(at_floor, -1, counts * budget % size)
    quotas[np.argsort(-rest, kind="stable")[: total - quotas.sum()]] += 1
    return quotas


def _drawn(groups: NDArray[np.int64], quotas: NDArray[np.int64], seed: int) -> NDArray[np.int64]:
    """Positions, in order, of `quotas[g]` random members of each group g."""
    keys = np.random.default_rng(seed).random(len(groups))
    order = np.lexsort((keys, groups))
    sizes = np.bincount(groups, minlength=len(quotas))
    place_in_group = np.arange(len(groups)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    chosen = order[place_in_group < quotas[groups[order]]]
    return np.sort(chosen)
