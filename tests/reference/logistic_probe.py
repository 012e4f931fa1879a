"""The logistic probe on the features themselves, with scikit-learn's logistic regression."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

__all__ = ["logistic_probe"]


def logistic_probe(features: NDArray, labels: NDArray, folds: NDArray, shares: NDArray) -> float:
    """Held-out accuracy at the penalty with the least log loss, penalties in `shares` of scatter.

    Every class must occur outside every fold.
    """
    scatter = float(np.sum((features - features.mean(axis=0)) ** 2))
    candidates = [_held_out(features, labels, folds, 1 / (share * scatter)) for share in shares]
    candidates.append(_constant(labels, folds))
    return min(candidates)[1]


def _held_out(features: NDArray, labels: NDArray, folds: NDArray, c: float) -> tuple[float, float]:
    """Log loss and accuracy."""
    loss = right = 0.0
    x = features - features.mean(axis=0)
    for fold in np.unique(folds):
        held = folds == fold
        model = LogisticRegression(C=c, tol=1e-8, max_iter=5000).fit(x[~held], labels[~held])
        own = np.searchsorted(model.classes_, labels[held])
        loss -= model.predict_log_proba(x[held])[np.arange(held.sum()), own].sum()
        right += np.sum(model.predict(x[held]) == labels[held])
    return loss, right / len(labels)


def _constant(labels: NDArray, folds: NDArray) -> tuple[float, float]:
    loss = 0.0
    for fold in np.unique(folds):
        held = folds == fold
        loss -= sum(np.log(np.mean(labels[~held] == label)) for label in labels[held])
    return loss, np.unique(labels, return_counts=True)[1].max() / len(labels)
