"""Principal coordinates of the samples, from the shared spectrum."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from transferscore.statistics.rows import row_blocks
from transferscore.statistics.spectrum import Spectrum
from transferscore.statistics.statistics import Statistics

__all__ = ["n_components_holding", "principal_coordinates"]


def principal_coordinates(statistics: Statistics, n_components: int) -> NDArray[np.float64]:
    """Centred samples along the directions of largest variance `(n, k)`.

    Each direction points so that its largest entry in size is positive: what is computed from the
    coordinates may depend on their signs, which a decomposition leaves open.

    Args:
        statistics: Of `(n, d)` features.
        n_components: k; the rank of the features where that is less.
    """
    spectrum, n = statistics.spectrum, statistics.n_samples
    k = min(n_components, spectrum.rank)
    if spectrum.side == "samples":
        coordinates = spectrum.vectors[:, :k] * np.sqrt(spectrum.eigenvalues[:k])
    else:
        coordinates = np.empty((n, k))
        for rows in row_blocks(*statistics.features.shape):
            centered = statistics.features[rows] - statistics.mean
            coordinates[rows] = centered @ spectrum.vectors[:, :k]
    coordinates *= _signs(spectrum, statistics.features, k)
    return coordinates


def n_components_holding(spectrum: Spectrum, share: float) -> int:
    """How many principal directions it takes to hold more than `share` of the variance."""
    shares = np.cumsum(spectrum.eigenvalues) / (spectrum.eigenvalues.sum() or 1.0)
    return min(int(np.searchsorted(shares, share, side="right")) + 1, spectrum.rank)


def _signs(spectrum: Spectrum, features: NDArray[Any], k: int) -> NDArray[np.float64]:
    """+1 or -1 for each of the first k directions as they are kept."""
    directions = spectrum.vectors[:, :k]
    if spectrum.side == "samples":
        left, directions = directions, np.zeros((features.shape[1], k))
        for rows in row_blocks(*features.shape):
            directions += features[rows].T @ left[rows]
    largest = np.abs(directions).argmax(axis=0)
    signs: NDArray[np.float64] = np.sign(directions[largest, np.arange(k)])
    return signs
