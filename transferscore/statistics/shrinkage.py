"""Ledoit-Wolf shrinkage of a covariance towards a multiple of the identity, from moments alone."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["ledoit_wolf_shrinkage", "shrinkage_of"]


def ledoit_wolf_shrinkage(
    eigenvalues: NDArray[np.float64], norm_fourth: float, n_samples: int, n_features: int
) -> float:
    """How far to shrink the covariance S (divisor n): (1 - a) S + a (tr S / d) I.

    Args:
        eigenvalues: `(r,)` nonzero eigenvalues of the scatter matrix n S.
        norm_fourth: Sum over samples of the fourth power of the centred norm.
        n_samples: n.
        n_features: d.

    Returns:
        a in [0, 1]; 0 for constant features.

    References:
        Ledoit & Wolf (2004), A well-conditioned estimator for large-dimensional covariance
        matrices, J. Multivariate Analysis 88.
    """
    scaled = eigenvalues / n_samples
    trace, squares = float(scaled.sum()), float(scaled @ scaled)
    return shrinkage_of(trace, squares, norm_fourth / n_samples, n_samples, n_features)


def shrinkage_of(
    trace: float, squares: float, fourth: float, n_samples: int, n_features: int
) -> float:
    """The same from tr S, tr S^2 and the mean over samples of the fourth power of the norm."""
    spread = (squares - trace**2 / n_features) / n_features
    if spread <= 0.0:
        return 0.0
    noise = (fourth - squares) / (n_features * n_samples)
    return float(min(max(noise, 0.0), spread) / spread)
