"""SFDA step by step, in all d dimensions."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["posteriors", "sfda"]


def sfda(features: NDArray, labels: NDArray) -> float:
    """Shao et al. (2022), section 4: fit, mix, fit again."""
    classes, codes = np.unique(labels, return_inverse=True)
    rows, n = features - features.mean(axis=0), np.arange(len(codes))
    within = within_covariance(rows, codes)
    shrinkage = max(float(np.exp(-5.0 * largest(within))), 1e-10)
    first = posteriors(rows, codes, shrunk(within, shrinkage))
    softened = np.exp(first) / np.exp(first).sum(axis=1, keepdims=True)
    confidence = softened[n, codes][:, None]
    means = np.array([rows[codes == c].mean(axis=0) for c in range(len(classes))])
    others = (means.sum(axis=0) - means) / (len(classes) - 1)
    mixed = confidence * rows + (1.0 - confidence) * others[codes]
    second = shrunk(within_covariance(mixed, codes), shrinkage)
    return float(posteriors(mixed, codes, second)[n, codes].mean())


def within_covariance(rows: NDArray, codes: NDArray) -> NDArray:
    parts = [rows[codes == c] - rows[codes == c].mean(axis=0) for c in np.unique(codes)]
    return sum(part.T @ part for part in parts) / len(rows)


def largest(matrix: NDArray) -> float:
    x = matrix.sum(axis=1)
    for _ in range(3):
        y = matrix @ x / np.linalg.norm(matrix @ x)
        x = matrix @ y / np.linalg.norm(matrix @ y)
    return float(x @ matrix @ y)


def shrunk(matrix: NDArray, shrinkage: float) -> NDArray:
    d = len(matrix)
    return (1.0 - shrinkage) * matrix + shrinkage * np.trace(matrix) / d * np.eye(d)


def posteriors(rows: NDArray, codes: NDArray, covariance: NDArray) -> NDArray:
    """Under Gaussians of one covariance at the class means of the same rows, `(n, K)`."""
    logs = []
    for c in np.unique(codes):
        mean, share = rows[codes == c].mean(axis=0), np.mean(codes == c)
        weights = np.linalg.solve(covariance, mean)
        logs.append(rows @ weights - 0.5 * mean @ weights + np.log(share))
    scores = np.exp(np.array(logs).T - np.max(logs, axis=0)[:, None])
    return scores / scores.sum(axis=1, keepdims=True)
