"""Held-out linear discriminant analysis, one fold and one class at a time, in all d dimensions."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["lda"]


def lda(features: NDArray, labels: NDArray, n_folds: int = 5) -> float:
    """Mean posterior of the true class of rows held out."""
    codes, (n, d) = np.unique(labels, return_inverse=True)[1], features.shape
    rows = features - features.mean(axis=0)
    shrinkage, variance = ledoit_wolf(rows), np.sum(rows**2) / (n * d)
    folds, values = dealt(rows, codes, n_folds), np.zeros(n)
    for fold in range(n_folds):
        fit = folds != fold
        means = {c: rows[fit & (codes == c)].mean(axis=0) for c in np.unique(codes[fit])}
        residuals = np.array([rows[i] - means[codes[i]] for i in np.flatnonzero(fit)])
        spare = fit.sum() - len(means)
        covariance = variance * np.eye(d)
        if spare > 0:
            within = residuals.T @ residuals / spare
            covariance = (1 - shrinkage) * within + shrinkage * np.trace(within) / d * np.eye(d)
            covariance += 1e-12 * variance * np.eye(d)
        for i in np.flatnonzero(~fit):
            logs = {
                c: np.log(np.sum(codes[fit] == c))
                - 0.5 * (rows[i] - mean) @ np.linalg.solve(covariance, rows[i] - mean)
                for c, mean in means.items()
            }
            top = max(logs.values())
            share = sum(np.exp(value - top) for value in logs.values())
            values[i] = np.exp(logs[codes[i]] - top) / share if codes[i] in logs else 0.0
    return float(values.mean())


def dealt(rows: NDArray, codes: NDArray, n_folds: int) -> NDArray:
    """Within each class, rows by distance from the mean, dealt to folds in turn."""
    folds = np.empty(len(codes), dtype=int)
    for c in np.unique(codes):
        own = np.flatnonzero(codes == c)
        folds[own[np.argsort(np.linalg.norm(rows[own], axis=1))]] = np.arange(len(own)) % n_folds
    return folds


def ledoit_wolf(rows: NDArray) -> float:
    n, d = rows.shape
    covariance = rows.T @ rows / n
    mu = np.trace(covariance) / d
    spread = np.sum((covariance - mu * np.eye(d)) ** 2) / d
    noise = np.mean([np.sum((np.outer(x, x) - covariance) ** 2) / d for x in rows]) / n
    return float(min(noise, spread) / spread) if spread > 1e-14 * mu**2 else 0.0
