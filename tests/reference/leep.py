"""LEEP as Nguyen et al. (2020) define it, one sample and one source class at a time."""

from __future__ import annotations

from math import log

from numpy.typing import NDArray

__all__ = ["leep"]


def leep(source_probabilities: NDArray, labels: NDArray) -> float:
    """Mean log of the expected empirical prediction of each sample's own label."""
    n, n_source = source_probabilities.shape
    total = 0.0
    for i in range(n):
        expected = 0.0
        for z in range(n_source):
            mass = sum(source_probabilities[:, z])
            joint = sum(source_probabilities[labels == labels[i], z])
            expected += source_probabilities[i, z] * (joint / mass if mass > 0 else 0.0)
        total += log(expected)
    return total / n
