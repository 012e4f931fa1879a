"""Features checked at the door, and walked through in blocks of bounded memory."""

from __future__ import annotations

import mmap
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from transferscore.errors import InputError

__all__ = ["LARGEST", "check_features", "feature_mean", "release_pages", "row_blocks"]

LARGEST = 1e70
"""Beyond this size, and below its inverse, fourth powers leave the range of float64."""

_BLOCK_BYTES = 8 * 2**20


def check_features(features: ArrayLike, name: str = "features") -> NDArray[Any]:
    """`features` as a finite floating-point `(n, d)` array, not copied where it is one already.

    Raises:
        InputError: Not two-dimensional, empty, not numbers, out of range, or with NaN or infinite
            entries; the message says how many rows and which is the first.
    """
    array = _as_floating(features, name)
    if array.ndim != 2:
        raise InputError(f"`{name}` must have shape (n_samples, n_features); got {array.shape}.")
    if 0 in array.shape:
        raise InputError(f"`{name}` must not be empty; got shape {array.shape}.")
    size = _largest_size(array)
    if not np.isfinite(size):
        _raise_not_finite(array, name)
    if size > LARGEST or 0.0 < size < 1.0 / LARGEST:
        raise InputError(
            f"`{name}` must be of a size between {1 / LARGEST:g} and {LARGEST:g}; the largest "
            f"entry is {size:.3g}. Rescale them all by one factor."
        )
    return array


def feature_mean(features: NDArray[Any]) -> NDArray[np.float64]:
    """Mean of each feature `(d,)` in float64, exact where a feature is constant.

    Summing differences from the first row keeps a constant feature from passing for a varying one,
    and the digits of a small spread far from zero.
    """
    first = features[0].astype(np.float64)
    total = np.zeros_like(first)
    for block in row_blocks(*features.shape):
        total += (features[block] - first).sum(axis=0)
    mean: NDArray[np.float64] = first + total / len(features)
    return mean


def _as_floating(features: ArrayLike, name: str) -> NDArray[Any]:
    try:
        array = np.asarray(features)
    except (TypeError, ValueError, RuntimeError) as error:
        # Ragged lists, and tensors that need detaching or have a dtype that numpy lacks.
        raise InputError(f"`{name}` cannot be read as an array: {error}") from error
    if array.dtype.kind in "biu" or array.dtype == np.float16:
        return array.astype(np.float32 if array.dtype.itemsize <= 2 else np.float64)
    if array.dtype.kind != "f":
        raise InputError(f"`{name}` must be real numbers; got dtype {array.dtype}.")
    if array.dtype.itemsize > 8 or not array.dtype.isnative:
        return array.astype(np.float64)
    return array


def _largest_size(array: NDArray[Any]) -> float:
    """The largest absolute value; NaN or infinite where an entry is."""
    ends = [(array[block].max(), -array[block].min()) for block in row_blocks(*array.shape)]
    return float(np.max(ends))


def _raise_not_finite(array: NDArray[Any], name: str) -> None:
    bad = ~np.isfinite(array).all(axis=1)
    raise InputError(
        f"`{name}` must be finite; {int(bad.sum())} of {len(array)} rows have NaN or infinite "
        f"entries, the first is row {int(bad.argmax())}."
    )


def row_blocks(n_rows: int, n_columns: int, block_bytes: int = _BLOCK_BYTES) -> Iterator[slice]:
    """Slices that cover `n_rows`, each at most `block_bytes` of float64 rows (at least one row)."""
    size = max(1, block_bytes // (8 * max(1, n_columns)))
    for start in range(0, n_rows, size):
        yield slice(start, min(start + size, n_rows))


def release_pages(features: object) -> None:
    """Let go of the memory through which a file mapped by `np.memmap` was read.

    Pages once read count as this process's memory until the system needs them elsewhere; a file of
    many times the memory limit of a container would seem to fill it. The file keeps its content,
    and pages that are read again come back from it.
    """
    mapped = getattr(features, "_mmap", None)
    # In a private copy (mode "c") pages that were written to live nowhere else.
    if mapped is not None and getattr(features, "mode", None) in {"r", "r+", "w+"}:
        mapped.madvise(mmap.MADV_DONTNEED)
