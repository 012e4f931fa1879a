"""Chance-adjusted H-score, its chance level by going through the permutations of the labels."""

from __future__ import annotations

from itertools import permutations

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import eigh

from tests.reference.shrinkage_h_score import shrinkage_h_score, shrunk_covariance

__all__ = ["adjusted_h_score", "mean_over_permutations"]


def adjusted_h_score(features: NDArray, columns: NDArray) -> float:
    """(H - chance) / (largest - chance) for `columns` `(n, m)`, through all n! orders."""
    chance = mean_over_permutations(features, columns)
    centered = columns - columns.mean(axis=0)
    largest = _largest(features, int(np.linalg.matrix_rank(centered)))
    return (shrinkage_h_score(features, columns) - chance) / (largest - chance)


def mean_over_permutations(features: NDArray, columns: NDArray) -> float:
    """The mean shrinkage H-score over all orders of the labels."""
    orders = permutations(range(len(columns)))
    return float(np.mean([shrinkage_h_score(features, columns[list(o)]) for o in orders]))


def _largest(features: NDArray, n_columns: int) -> float:
    """What the best `n_columns` target columns reach: that many directions kept whole."""
    n, d = features.shape
    a, shrunk = shrunk_covariance(features)
    own = (1.0 - a) * np.atleast_2d(np.cov(features, rowvar=False, ddof=0))
    gains = eigh(own, shrunk, eigvals_only=True)[::-1]
    return float(gains[: min(n_columns, d)].sum() * n / (n - 1))
