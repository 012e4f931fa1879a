"""LFC by its n x n matrices, and its chance level by all orders of the labels."""

from __future__ import annotations

from itertools import permutations

import numpy as np
from numpy.typing import NDArray

__all__ = ["adjusted_lfc", "lfc"]


def lfc(features: NDArray, labels: NDArray) -> float:
    """Cosine of the mean-subtracted kernels, Deshpande et al. (2021), section 3.2."""
    same = np.where(labels[:, None] == labels, 1.0, -1.0)
    gram = features @ features.T
    gram, same = gram - gram.mean(), same - same.mean()
    return float(np.sum(gram * same) / (np.linalg.norm(gram) * np.linalg.norm(same)))


def adjusted_lfc(features: NDArray, labels: NDArray) -> float:
    chance = np.mean([lfc(features, np.array(order)) for order in permutations(labels)])
    return float((lfc(features, labels) - chance) / (1.0 - chance))
