"""Leave-one-out k-NN, one sample at a time."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["knn", "nearest_others"]


def nearest_others(features: NDArray, k: int) -> NDArray[np.int64]:
    """The k nearest other rows of each row `(n, k)`; of equally distant rows the earlier first."""
    rows = []
    for i, x in enumerate(features):
        distances = [(float(np.sum((x - z) ** 2)), j) for j, z in enumerate(features) if j != i]
        rows.append([j for _, j in sorted(distances)[:k]])
    return np.array(rows)


def knn(features: NDArray, labels: NDArray, k: int, task: str = "classification") -> float:
    """Accuracy of the vote, the smallest label winning a tie; R^2 averaged over outputs else."""
    nearest = nearest_others(features, k)
    if task == "classification":
        votes = []
        for row in nearest:
            values, counts = np.unique(labels[row], return_counts=True)
            votes.append(values[counts.argmax()])
        return float(np.mean(votes == labels))
    predicted = np.array([labels[row].mean(axis=0) for row in nearest])
    errors = np.sum((predicted - labels) ** 2, axis=0)
    return float(np.mean(1.0 - errors / np.sum((labels - labels.mean(axis=0)) ** 2, axis=0)))
