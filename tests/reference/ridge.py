"""Held-out ridge regression by fitting again and again, each time as least squares."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["held_out_outputs", "ridge_fit_predict"]


def ridge_fit_predict(
    features: NDArray, columns: NDArray, test: NDArray, penalty: float, intercept: bool = True
) -> NDArray:
    """Outputs for `test` of the ridge fitted on the rest, as rows of sqrt(penalty) to fit to 0."""
    offset = features.mean(axis=0) if intercept else np.zeros(features.shape[1])
    base = columns.mean(axis=0) if intercept else np.zeros(columns.shape[1])
    d = features.shape[1]
    design = np.vstack([features - offset, np.sqrt(penalty) * np.eye(d)])
    wanted = np.vstack([columns - base, np.zeros((d, columns.shape[1]))])
    weights = np.linalg.lstsq(design, wanted, rcond=None)[0]
    return (test - offset) @ weights + base


def held_out_outputs(
    features: NDArray, columns: NDArray, folds: NDArray, penalty: float, intercept: bool = True
) -> NDArray:
    """Outputs `(n, m)`, each row's from a fit on the rows of the other folds."""
    outputs = np.empty_like(columns, dtype=float)
    for fold in np.unique(folds):
        held = folds == fold
        outputs[held] = ridge_fit_predict(
            features[~held], columns[~held], features[held], penalty, intercept
        )
    return outputs
