"""The batches of an epoch: random, yet with texts of like length together."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

__all__ = ["epoch_batches"]

# So many batches' worth of rows are sorted by length together.
_POOL = 6


def epoch_batches(
    costs: NDArray[np.int64], rows: NDArray[np.int64], batch_size: int, rng: np.random.Generator
) -> list[NDArray[np.int64]]:
    """All rows once, in near-equal random parts: a last batch of one breaks batch norm.

    Rows are sorted by length within some batches' worth of random ones, so that little is padded.

    Args:
        costs: `(n,)` relative size of every sample.
        rows: `(m,)` positions in it.
        batch_size: The most rows of a part.
        rng: Of the order.
    """
    shuffled = rng.permutation(rows)
    pools = np.array_split(shuffled, math.ceil(len(rows) / (batch_size * _POOL)))
    parts = [
        part
        for pool in pools
        for part in np.array_split(
            pool[np.argsort(costs[pool], kind="stable")], math.ceil(len(pool) / batch_size)
        )
    ]
    return [parts[i] for i in rng.permutation(len(parts))]
