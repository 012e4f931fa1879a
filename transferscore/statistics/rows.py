"""Features checked at the door, and walked through in blocks of bounded memory."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from transferscore.errors import InputError

__all__ = ["check_features", "row_blocks"]

_BLOCK_BYTES = 32 * 2**20


def check_features(features: ArrayLike, name: str = "features") -> NDArray[Any]:
    """`features` as a finite floating-point `(n, d)` array, not copied where it is one already.

    Raises:
        InputError: Not two-dimensional, empty, not numbers, or with NaN or infinite entries; the
            message says how many rows and which is the first.
    """
    array = _as_floating(features, name)
    if array.ndim != 2:
        raise InputError(f"`{name}` must have shape (n_samples, n_features); got {array.shape}.")
    if 0 in array.shape:
        raise InputError(f"`{name}` must not be empty; got shape {array.shape}.")
    for block in row_blocks(*array.shape):
        finite = np.isfinite(array[block]).all(axis=1)
        if not finite.all():
            _raise_not_finite(array, name)
    return array


def _as_floating(features: ArrayLike, name: str) -> NDArray[Any]:
    array = np.asarray(features)
    if array.dtype.kind in "biu" or array.dtype == np.float16:
        return array.astype(np.float32 if array.dtype.itemsize <= 2 else np.float64)
    if array.dtype.kind != "f":
        raise InputError(f"`{name}` must be real numbers; got dtype {array.dtype}.")
    return array


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
