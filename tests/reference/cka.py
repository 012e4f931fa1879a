"""Linear CKA by n x n kernels."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["cka"]


def cka(a: NDArray, b: NDArray, debiased: bool) -> float:
    """HSIC(K, L) / sqrt(HSIC(K, K) HSIC(L, L)), Kornblith et al. (2019)."""
    k, h = a @ a.T, unbiased if debiased else biased
    other = b @ b.T
    return float(h(k, other) / np.sqrt(h(k, k) * h(other, other)))


def biased(k: NDArray, other: NDArray) -> float:
    center = np.eye(len(k)) - 1.0 / len(k)
    return float(np.trace(k @ center @ other @ center))


def unbiased(k: NDArray, other: NDArray) -> float:
    """Song et al. (2012), equation 5."""
    n, one = len(k), np.ones(len(k))
    k, other = k - np.diag(np.diag(k)), other - np.diag(np.diag(other))
    total = np.trace(k @ other) + (one @ k @ one) * (one @ other @ one) / ((n - 1) * (n - 2))
    return float((total - 2.0 / (n - 2) * (one @ k @ other @ one)) / (n * (n - 3)))
