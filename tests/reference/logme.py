"""LogME as You et al. (2021) define it: the evidence, maximised numerically from many starts."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar

__all__ = ["log_evidence", "logme"]


def logme(features: NDArray, columns: NDArray) -> float:
    """The mean over target columns `(n, m)` of the maximum log evidence per sample."""
    left, singular, _ = np.linalg.svd(features, full_matrices=True)
    values = np.zeros(len(features))
    values[: len(singular)] = singular**2
    values[values < values.max() * 1e-15] = 0.0
    return float(np.mean([_maximum(values, left.T @ column) for column in columns.T]))


def _maximum(values: NDArray, coordinates: NDArray) -> float:
    """Over log t, t = alpha / beta; beta has a closed form. `values` are those of F F^T."""

    def loss(log_t: float) -> float:
        stretch = 1.0 + values / np.exp(log_t)
        variance = np.mean(coordinates**2 / stretch)
        return 0.5 * (np.log(2 * np.pi * variance) + 1.0 + np.mean(np.log(stretch)))

    present = values[values > 0.0]
    ends = np.linspace(np.log(present.min()) - 25.0, np.log(present.max()) + 25.0, 41)
    found = [
        minimize_scalar(loss, bounds=pair, method="bounded", options={"xatol": 1e-10}).fun
        for pair in pairwise(ends)
    ]
    return -min(found)


def log_evidence(features: NDArray, column: NDArray, alpha: float, beta: float) -> float:
    """log N(y | 0, F F^T / alpha + I / beta), by the n x n covariance itself."""
    n = len(features)
    covariance = features @ features.T / alpha + np.eye(n) / beta
    quadratic = column @ np.linalg.solve(covariance, column)
    return float(-0.5 * (quadratic + np.linalg.slogdet(covariance)[1] + n * np.log(2 * np.pi)))
