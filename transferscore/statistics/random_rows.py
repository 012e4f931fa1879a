"""What rows drawn at random would show: the level at which labels without meaning stand."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["random_rows_log_det"]

# Halvings of the interval that holds the logarithm of the effective weight.
_HALVINGS = 100
_WIDEST = 100.0


def random_rows_log_det(
    eigenvalues: NDArray[np.float64], n_samples: int, n_rows: int, weight: float
) -> float:
    r"""Expected log-determinant of I + a X X^T over a random choice of some of all rows.

    The Gram matrix of m of n rows is a compression of that of all. For rows without structure both
    are free of one another, and with :math:`s(b) = \sum_j b \lambda_j / (1 + b \lambda_j)`

    .. math:: \sum_j \log(1 + b \lambda_j) + n \log(1 - s(b) / n) - m \log(1 - s(b) / m),
              \quad b \, (n - s(b)) / (m - s(b)) = a.

    Args:
        eigenvalues: `(r,)` nonzero, of the scatter of all rows.
        n_samples: n.
        n_rows: m, below n.
        weight: a, positive.

    Returns:
        The limit for many rows and features, which a hundred rows are near.

    References:
        Voiculescu (1991), Limit laws for random matrices and free products, Inventiones 104; the
        compression: Nica & Speicher (1996), On the multiplication of free n-tuples, Amer. J. Math.
    """
    n, m = float(n_samples), float(n_rows)
    low, high = np.log(weight) - _WIDEST, np.log(weight)
    for _ in range(_HALVINGS):
        middle = 0.5 * (low + high)
        s = _filled(eigenvalues, np.exp(middle))
        if s >= m or middle + np.log((n - s) / (m - s)) > np.log(weight):
            high = middle
        else:
            low = middle
    b = np.exp(low)
    s = _filled(eigenvalues, b)
    whole = float(np.log1p(b * eigenvalues).sum())
    return whole + n * float(np.log1p(-s / n)) - m * float(np.log1p(-s / m))


def _filled(eigenvalues: NDArray[np.float64], b: float) -> float:
    """How many directions stand above 1 / b, each by its part."""
    return float(np.sum(b * eigenvalues / (1.0 + b * eigenvalues)))
