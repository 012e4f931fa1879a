"""Raw numbers: the rows of an array themselves."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["raw_numbers"]

_WIDEST, _PROJECTED = 2048, 1024


def raw_numbers(rows: Sequence[Any], n_rows: int) -> Callable[[Sequence[Any]], NDArray[np.float32]]:
    """Rows flattened and scaled; in 1,024 random directions where they have over 2,048 numbers.

    Returns:
        A function from b rows to `(b, d)`.
    """
    from sklearn.preprocessing import StandardScaler
    from sklearn.random_projection import GaussianRandomProjection

    values = np.asarray(rows, dtype=np.float32).reshape(n_rows, -1)
    scaler = StandardScaler().fit(values)
    if values.shape[1] <= _WIDEST:
        return lambda some: scaler.transform(_flat(some)).astype(np.float32)
    projection = GaussianRandomProjection(_PROJECTED, random_state=0).fit(values)
    return lambda some: projection.transform(scaler.transform(_flat(some))).astype(np.float32)


def _flat(rows: Sequence[Any]) -> NDArray[np.float32]:
    return np.asarray(rows, dtype=np.float32).reshape(len(rows), -1)
