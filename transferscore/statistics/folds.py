"""Folds of samples, the same whatever the order in which samples and classes come."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from transferscore.statistics.rows import row_blocks
from transferscore.statistics.statistics import Statistics

__all__ = ["row_invariants", "stratified_folds"]

# Numbers that agree to so many decimals are equal but for rounding.
_DECIMALS = 9


def stratified_folds(statistics: Statistics, n_folds: int, seed: int) -> NDArray[np.int64]:
    """A fold for each sample `(n,)`: every class, near and far from the mean, spread over all.

    Samples are ranked within classes by their distance from the mean of all, and each run of
    `n_folds` ranks is dealt out to the folds in a seeded random order. Ranks, unlike positions, do
    not depend on the order of the samples, nor on rotation, shift or scale of the features.
    """
    codes, n = statistics.targets.class_codes(), statistics.n_samples
    norms, leaning = row_invariants(statistics)
    nearest = np.full(statistics.targets.n_columns, np.inf)
    np.minimum.at(nearest, codes, norms)
    order = np.lexsort((leaning, norms, codes, nearest[codes]))
    rng = np.random.default_rng(seed)
    dealt = [rng.permutation(n_folds) for _ in range(-(-n // n_folds))]
    folds = np.empty(n, dtype=np.int64)
    folds[order] = np.concatenate(dealt)[:n]
    return folds


def row_invariants(statistics: Statistics) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Squared distance of each sample from the mean, and how far it leans to where most is."""
    n, d = statistics.features.shape
    scale = np.sqrt(statistics.spectrum.eigenvalues.sum() / n) or 1.0
    norms, leaning, heavy = np.empty(n), np.empty(n), np.zeros(d)
    for rows in row_blocks(n, d):
        centered = (statistics.features[rows] - statistics.mean) / scale
        norms[rows] = np.einsum("ij,ij->i", centered, centered)
        heavy += norms[rows] @ centered
    heavy /= np.sqrt(heavy @ heavy) or 1.0
    for rows in row_blocks(n, d):
        leaning[rows] = (statistics.features[rows] - statistics.mean) @ (heavy / scale)
    return np.round(norms, _DECIMALS), np.round(leaning, _DECIMALS)
