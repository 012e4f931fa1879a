"""The logistic probe on the features themselves, with scikit-learn's logistic regression."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import log_softmax
from sklearn.linear_model import LogisticRegression

__all__ = ["logistic_probe"]


def logistic_probe(features: NDArray, labels: NDArray, folds: NDArray, shares: NDArray) -> float:
    """Held-out accuracy at the penalty with the least log loss, penalties in `shares` of scatter.

    Every class must occur outside every fold.
    """
    centered = features - features.mean(axis=0)
    # Of unit scatter, a share is a penalty.
    unit = centered / np.sqrt(np.sum(centered**2))
    candidates = [_held_out(unit, labels, folds, share) for share in shares]
    candidates.append(_constant(labels, folds))
    return min(candidates)[1]


def _held_out(
    features: NDArray, labels: NDArray, folds: NDArray, penalty: float
) -> tuple[float, float]:
    """Log loss and accuracy."""
    loss, right = 0.0, 0
    # With two classes scikit-learn fits one vector, whose penalty counts double.
    c = (2 if len(np.unique(labels)) == 2 else 1) / penalty
    for fold in np.unique(folds):
        held = folds == fold
        model = LogisticRegression(C=c, tol=1e-8, max_iter=5000)
        logits = model.fit(features[~held], labels[~held]).decision_function(features[held])
        if logits.ndim == 1:
            logits = np.column_stack([np.zeros(len(logits)), logits])
        own = np.searchsorted(model.classes_, labels[held])
        loss -= log_softmax(logits, axis=1)[np.arange(held.sum()), own].sum()
        right += np.sum(logits.argmax(axis=1) == own)
    return float(loss), right / len(labels)


def _constant(labels: NDArray, folds: NDArray) -> tuple[float, float]:
    loss = 0.0
    for fold in np.unique(folds):
        held = folds == fold
        loss -= sum(np.log(np.mean(labels[~held] == label)) for label in labels[held])
    return loss, np.unique(labels, return_counts=True)[1].max() / len(labels)
