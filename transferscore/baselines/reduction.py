"""Wide sparse counts as fewer dense columns, fitted to rows without their labels."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["reduction"]

Sparse = Any  # a matrix of scipy.sparse

_MOST_EXACT_ROWS = 2000  # beyond, an n x n decomposition takes longer than it is worth
_RANK_TOLERANCE = 1e-9


def reduction(counts: Sparse, width: int) -> Callable[[Sparse], NDArray[Any]]:
    """What turns counts `(b, v)` into dense columns `(b, d)`.

    With few rows nothing is lost: as many columns as the rows span, in which every linear model is
    what it was. With many, a truncated SVD.

    Args:
        counts: `(n, v)` rows to fit to.
        width: d with many rows.
    """
    if counts.shape[1] <= width:
        return lambda some: np.asarray(some.toarray())
    return _exact(counts) if counts.shape[0] <= _MOST_EXACT_ROWS else _truncated(counts, width)


def _exact(counts: Sparse) -> Callable[[Sparse], NDArray[Any]]:
    values, vectors = np.linalg.eigh((counts @ counts.T).toarray())
    kept = values > _RANK_TOLERANCE * values[-1]
    # All rows empty: one column of zeros, as features may not be none.
    kept[-1] = True
    basis = vectors[:, kept] / np.sqrt(np.maximum(values[kept], np.finfo(float).tiny))
    return lambda some: np.asarray((some @ counts.T).toarray() @ basis)


def _truncated(counts: Sparse, width: int) -> Callable[[Sparse], NDArray[Any]]:
    from sklearn.decomposition import TruncatedSVD

    fitted = TruncatedSVD(width, n_iter=2, random_state=0).fit(counts)
    return lambda some: np.asarray(fitted.transform(some))
