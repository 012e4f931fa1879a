"""Mean and covariance of a sample as a mean and a factor: exact where n <= d, never squared."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import qr

from transferscore.statistics.rows import row_blocks

__all__ = ["Gaussian", "gaussian_of", "nuclear_norm"]


@dataclass(frozen=True, slots=True)
class Gaussian:
    """First and second moments of n rows.

    A factor keeps twice the digits of a covariance, and is the smaller of the two where n <= d.

    Attributes:
        count: n.
        mean: `(d,)`.
        factor: `(r, d)`, r = min(n, d); factor^T factor is the covariance with divisor n - 1.
    """

    count: int
    mean: NDArray[np.float64]
    factor: NDArray[np.float64]

    @property
    def trace(self) -> float:
        """Total variance, the trace of the covariance."""
        return float(np.vdot(self.factor, self.factor))


def gaussian_of(features: NDArray[Any]) -> Gaussian:
    """Moments of checked `features` `(n, d)`, in blocks; the factor of one row is zero."""
    n, d = features.shape
    mean = features.mean(axis=0, dtype=np.float64)
    if n <= d:
        factor = features - mean
    else:
        factor = np.zeros((0, d))
        for block in row_blocks(n, d):
            rows = np.concatenate([factor, features[block] - mean])
            factor = qr(rows, mode="r", overwrite_a=True, check_finite=False)[0][:d]
    return Gaussian(n, mean, factor / np.sqrt(max(1, n - 1)))


def nuclear_norm(a: NDArray[np.float64], b: NDArray[np.float64]) -> float:
    """Sum of the singular values of a b^T, for factors a `(r, d)` and b `(q, d)`.

    For factors of covariances A and B this is tr (A^1/2 B A^1/2)^1/2, without a square root of
    matrices whose small eigenvalues are rounding noise.
    """
    return float(np.linalg.svd(a @ b.T, compute_uv=False).sum())
