"""Energy as Gholami et al. (2023) define it, one sample at a time."""

from __future__ import annotations

from math import exp, log

from numpy.typing import NDArray

__all__ = ["energy"]


def energy(logits: NDArray, n_lowest: int) -> float:
    """Mean log of the summed exponentials over the samples where it is lowest."""
    values = sorted(log(sum(exp(entry) for entry in row)) for row in logits)
    return sum(values[:n_lowest]) / n_lowest
