"""Centred rows, class means and scatters in coordinates of at most min(n, d) dimensions.

With n >= d the coordinates are the features themselves; with n < d the rows span fewer dimensions
than there are features, and the left singular vectors hold them at a fraction of the size.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from transferscore.statistics.rows import row_blocks
from transferscore.statistics.statistics import Statistics

__all__ = [
    "centered_rows",
    "class_means",
    "class_sums",
    "ones_direction",
    "squared_norms",
    "total_scatter",
    "within_scatter",
]


def _on_feature_side(statistics: Statistics) -> bool:
    """Whether the coordinates are the features themselves."""
    return statistics.n_samples >= statistics.n_features


def centered_rows(statistics: Statistics, rows: slice | NDArray[np.int64]) -> NDArray[np.float64]:
    """Rows `(len(rows), p)` about the mean of all."""
    if _on_feature_side(statistics):
        centered: NDArray[np.float64] = statistics.features[rows] - statistics.mean
        return centered
    spectrum = statistics.spectrum
    scaled: NDArray[np.float64] = spectrum.vectors[rows] * np.sqrt(spectrum.eigenvalues)
    return scaled


def class_means(statistics: Statistics) -> NDArray[np.float64]:
    """Class means `(K, p)` about the mean of all rows."""
    if _on_feature_side(statistics):
        means: NDArray[np.float64] = statistics.moments.cross / statistics.targets.counts()
        return means.T
    spectrum = statistics.spectrum
    scaled: NDArray[np.float64] = spectrum.targets * np.sqrt(spectrum.eigenvalues)[:, None]
    return (scaled / statistics.targets.counts()).T


def total_scatter(statistics: Statistics) -> NDArray[np.float64]:
    """Sum over rows of x x^T `(p, p)`, x about the mean of all rows."""
    if _on_feature_side(statistics):
        return statistics.moments.scatter
    return np.diag(statistics.spectrum.eigenvalues)


def within_scatter(statistics: Statistics) -> NDArray[np.float64]:
    """Sum over rows of x x^T `(p, p)`, x about the mean of the row's class."""
    scaled = class_means(statistics).T * np.sqrt(statistics.targets.counts())
    within: NDArray[np.float64] = total_scatter(statistics) - scaled @ scaled.T
    return within


def ones_direction(statistics: Statistics) -> NDArray[np.float64]:
    """The sum of all features as a direction `(p,)`."""
    if _on_feature_side(statistics):
        return np.ones(statistics.n_features)
    spectrum = statistics.spectrum
    row_sums = statistics.features.sum(axis=1, dtype=np.float64) - statistics.mean.sum()
    direction: NDArray[np.float64] = spectrum.vectors.T @ row_sums / np.sqrt(spectrum.eigenvalues)
    return direction


def squared_norms(statistics: Statistics) -> NDArray[np.float64]:
    """Squared length `(n,)` of each row about the mean of all."""
    norms = np.empty(statistics.n_samples)
    for rows in row_blocks(*statistics.features.shape):
        centered = statistics.features[rows] - statistics.mean
        norms[rows] = np.einsum("ij,ij->i", centered, centered)
    return norms


def class_sums(
    rows: NDArray[np.float64], codes: NDArray[np.int64], n_classes: int
) -> NDArray[np.float64]:
    """Sum of the rows of each class `(K, p)`."""
    columns = csr_array(
        (np.ones(len(codes)), (np.arange(len(codes)), codes)), (len(codes), n_classes)
    )
    sums: NDArray[np.float64] = columns.T @ rows
    return sums
