"""Class prototypes: the mean of each class, and how many rows it stands for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import csr_array

from transferscore.errors import InputError
from transferscore.statistics.rows import row_blocks

__all__ = ["Prototypes", "class_codes", "prototypes_of"]


@dataclass(frozen=True, slots=True)
class Prototypes:
    """Class means `(K, d)` and class sizes `(K,)`."""

    means: NDArray[np.float64]
    counts: NDArray[np.int64]

    @property
    def weights(self) -> NDArray[np.float64]:
        """Class shares `(K,)`, summing to 1."""
        shares: NDArray[np.float64] = self.counts / self.counts.sum()
        return shares


def class_codes(labels: ArrayLike, n_samples: int, name: str) -> NDArray[np.int64]:
    """Labels of any type as ids without gaps `(n,)`; one class is enough.

    Raises:
        InputError: Not one label per row, or a label is NaN.
    """
    array = np.asarray(labels)
    if array.ndim != 1 or len(array) != n_samples:
        raise InputError(
            f"`{name}` must have one entry per row of its features ({n_samples}); "
            f"got shape {array.shape}."
        )
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        row = int(np.argmin(np.isfinite(array)))
        raise InputError(f"`{name}` must be finite; row {row} is {array[row]}.")
    return np.unique(array, return_inverse=True)[1].astype(np.int64)


def prototypes_of(features: NDArray[Any], codes: NDArray[np.int64]) -> Prototypes:
    """Prototypes of checked `features` `(n, d)`, in float64 blocks."""
    n, d = features.shape
    counts = np.bincount(codes)
    center = features.mean(axis=0, dtype=np.float64)
    sums = np.zeros((len(counts), d))
    for block in row_blocks(n, d):
        rows = np.arange(block.stop - block.start)
        shape = (len(counts), len(rows))
        indicators = csr_array((np.ones(len(rows)), (codes[block], rows)), shape)
        # Sums about the mean, so that far from the origin no digits are lost.
        sums += indicators @ (features[block] - center)
    return Prototypes(center + sums / counts[:, None], counts)
