"""Proxy A-distance with scikit-learn's own pipeline."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import PredefinedSplit, cross_val_predict
from sklearn.preprocessing import StandardScaler

__all__ = ["proxy_a"]


def proxy_a(source: NDArray, target: NDArray, folds: NDArray) -> float:
    """2 (1 - 2 error), not clipped."""
    rows = StandardScaler().fit_transform(np.concatenate([source, target]))
    domains = np.array([0] * len(source) + [1] * len(target))
    model = LogisticRegression(max_iter=10_000)
    predicted = cross_val_predict(model, rows, domains, cv=PredefinedSplit(folds))
    return float(2 * (1 - 2 * np.mean(predicted != domains)))
