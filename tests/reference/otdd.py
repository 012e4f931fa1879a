"""OTDD with Gaussian classes, one pair of rows at a time."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.distance import cdist

from tests.reference.emd import transport
from tests.reference.frechet import frechet

__all__ = ["otdd"]


def otdd(source: NDArray, target: NDArray, source_labels: NDArray, target_labels: NDArray) -> float:
    """The root of the least cost; the Bures distance of classes is their Fréchet distance."""
    n, m = len(source), len(target)
    cost = cdist(source, target, "sqeuclidean")
    for i in range(n):
        for j in range(m):
            a = source[source_labels == source_labels[i]]
            b = target[target_labels == target_labels[j]]
            cost[i, j] += max(0.0, frechet(a, b))
    return float(np.sqrt(transport(cost, np.full(n, 1 / n), np.full(m, 1 / m))))
