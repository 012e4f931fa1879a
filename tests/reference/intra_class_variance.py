"""Minus the share of variance within classes, one sample at a time."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["intra_class_variance"]


def intra_class_variance(features: NDArray, labels: NDArray) -> float:
    """Squared distances from the mean of the class over those from the mean of all."""
    within = total = 0.0
    for row, label in zip(features, labels, strict=True):
        within += float(np.sum((row - features[labels == label].mean(axis=0)) ** 2))
        total += float(np.sum((row - features.mean(axis=0)) ** 2))
    return -within / total
