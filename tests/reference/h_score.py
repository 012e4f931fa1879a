"""H-score as Bao et al. (2019) define it, by the pseudo-inverse of the covariance."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["class_means", "h_score", "projected"]


def h_score(features: NDArray, columns: NDArray) -> float:
    """tr(cov(F)^+ cov(P F)), P the projection on target columns `(n, m)` and the constant."""
    between = np.cov(projected(features, columns), rowvar=False, ddof=0)
    # In units of each feature's spread, which H-score does not depend on and rounding does.
    spread = features.std(axis=0)
    scale = np.where(spread > 1e-12 * np.abs(features).max(), spread, np.inf)
    covariance = np.cov(features, rowvar=False, ddof=0) / np.outer(scale, scale)
    inverse = np.linalg.pinv(np.atleast_2d(covariance), rcond=1e-12, hermitian=True)
    return float(np.trace(inverse @ (between / np.outer(scale, scale))))


def projected(features: NDArray, columns: NDArray) -> NDArray:
    """The least-squares fit of the features by the target columns; class means for indicators."""
    spread = columns.std(axis=0)
    scaled = (columns - columns.mean(axis=0)) / np.where(spread > 0.0, spread, 1.0)
    design = np.hstack([np.ones((len(columns), 1)), scaled])
    return design @ np.linalg.lstsq(design, features, rcond=1e-10)[0]


def class_means(features: NDArray, labels: NDArray) -> NDArray:
    """Each row replaced by the mean of its class: what `projected` gives for indicators."""
    return np.array([features[labels == label].mean(axis=0) for label in labels])
