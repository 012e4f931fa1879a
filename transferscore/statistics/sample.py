"""A bounded sample of rows that does not depend on their order, nor on how they come in parts.

Each row gets a random number that its own features and a seed decide, and the rows of the smallest
numbers are kept: of parts that are sampled apart and merged, these are the same rows as of all.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from transferscore.errors import InputError
from transferscore.statistics.labelled import LabelledRows, joined_rows
from transferscore.statistics.rows import row_blocks
from transferscore.statistics.targets import Targets

__all__ = [
    "RowSample",
    "chosen_rows",
    "key_multipliers",
    "merge_samples",
    "mixed_keys",
    "sample_of",
]

# A block of rows that stays in the processor's cache while it is hashed.
_HASHED_BYTES = 2**20


@dataclass(frozen=True, slots=True)
class RowSample:
    """Rows drawn without replacement from all those that were seen.

    Attributes:
        rows: At most `size` of them, by ascending key.
        keys: `(len(rows),)` uint64, each row's own random number.
        size: Rows kept at most.
        seed: Of the random numbers.
    """

    rows: LabelledRows
    keys: NDArray[np.uint64]
    size: int
    seed: int

    @property
    def limit(self) -> int | None:
        """The key that a further row must not exceed to be kept, or None where there is room."""
        if len(self.keys) < self.size:
            return None
        return int(self.keys[-1]) if self.size > 0 else -1


def sample_of(rows: LabelledRows, size: int, seed: int, limit: int | None = None) -> RowSample:
    """The sample of `rows`.

    Args:
        rows: n rows.
        size: Rows to keep at most, 0 for none.
        seed: Of the choice.
        limit: No row of a larger key is wanted.

    Raises:
        InputError: `size` is negative.
    """
    if size < 0:
        raise InputError(f"`sample_size` must not be negative; got {size}.")
    if size == 0:
        none = rows.take(np.arange(0))
        return RowSample(none, np.empty(0, dtype=np.uint64), 0, seed)
    keys = _row_keys(rows.features, seed)
    wanted = chosen_rows(keys, rows.targets, size, limit)
    return RowSample(rows.take(wanted), keys[wanted], size, seed)


def chosen_rows(
    keys: NDArray[np.uint64], targets: Targets, size: int, limit: int | None = None
) -> NDArray[np.int64]:
    """Positions of the rows that a sample keeps, by ascending key."""
    wanted = np.arange(len(keys)) if limit is None else np.flatnonzero(keys <= np.uint64(limit))
    order = _by_key(keys[wanted], targets.take(wanted))[:size]
    chosen: NDArray[np.int64] = wanted[order]
    return chosen


def merge_samples(a: RowSample, b: RowSample) -> RowSample:
    """The sample of the rows of both.

    Raises:
        InputError: Other seeds, widths or kinds of labels, or source outputs for one of both only.
    """
    if a.seed != b.seed:
        raise InputError(
            f"Only samples drawn with one seed can be merged; got seeds {a.seed} and {b.seed}."
        )
    size, keys = min(a.size, b.size), np.concatenate([a.keys, b.keys])
    rows = joined_rows([a.rows, b.rows])
    kept = _by_key(keys, rows.targets)[:size]
    return RowSample(rows.take(kept), keys[kept], size, a.seed)


def _row_keys(features: NDArray[Any], seed: int) -> NDArray[np.uint64]:
    """A random number `(n,)` for each row, the same for the same numbers whatever their type."""
    n, d = features.shape
    multipliers = key_multipliers(d, seed)
    keys = np.empty(n, dtype=np.uint64)
    for block in row_blocks(n, d, _HASHED_BYTES):
        words = np.ascontiguousarray(features[block], dtype=np.float64).view(np.uint64)
        # The low half of a float32's digits as float64 is zero; multiplying passes nothing down.
        words = words ^ (words >> np.uint64(32))
        keys[block] = np.einsum("ij,j->i", words, multipliers)
    return mixed_keys(keys)


def key_multipliers(n_features: int, seed: int) -> NDArray[np.uint64]:
    """A random odd number `(d,)` for each feature, by which its bits count in a row's key."""
    multipliers = np.random.default_rng(seed).integers(2**64, size=n_features, dtype=np.uint64)
    odd: NDArray[np.uint64] = multipliers | np.uint64(1)
    return odd


def mixed_keys(keys: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Every bit of the key spread over all others, as the generator splitmix64 does."""
    keys = (keys ^ (keys >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    keys = (keys ^ (keys >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return keys ^ (keys >> np.uint64(31))


def _by_key(keys: NDArray[np.uint64], targets: Targets) -> NDArray[np.int64]:
    """The order of the rows by key; of rows alike but for their labels, by label."""
    if targets.codes is not None:
        return np.lexsort((targets.codes, keys))
    return np.lexsort((*targets.matrix().T[::-1], keys))
