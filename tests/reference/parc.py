"""PARC as Bolya et al. (2021) define it, one pair of samples at a time."""

from __future__ import annotations

from itertools import combinations

import numpy as np
from numpy.typing import NDArray
from scipy.stats import spearmanr

__all__ = ["parc"]


def parc(features: NDArray, columns: NDArray) -> float:
    """100 times Spearman's correlation of dissimilarities; `columns` one-hot or 0/1 `(n, m)`."""
    spread = features.std(axis=0)
    standard = (features - features.mean(axis=0)) / np.where(spread > 1e-12, spread, 1.0)
    pairs = list(combinations(range(len(features)), 2))
    unlike = [_unlike(standard[i], standard[j]) for i, j in pairs]
    labels_unlike = [_unlike(columns[i], columns[j]) for i, j in pairs]
    return float(100 * spearmanr(unlike, labels_unlike).statistic)


def _unlike(a: NDArray, b: NDArray) -> float:
    """1 - correlation, rounded so that equal values tie; 1 where one of the two has no spread."""
    if np.ptp(a) < 1e-12 or np.ptp(b) < 1e-12:
        return 1.0
    return round(1.0 - float(np.corrcoef(a, b)[0, 1]), 12)
