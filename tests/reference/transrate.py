"""TransRate by singular values, class by class."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["transrate"]


def transrate(features: NDArray, labels: NDArray, variant: str, eps: float = 1e-4) -> float:
    """R(Z) minus the weighted mean of R(Z_c), Huang et al. (2022), equations 2 and 3."""
    centered = features - features.mean(axis=0)
    if variant == "normalised":
        centered = centered / np.linalg.norm(centered)
    parts = [centered[labels == label] for label in np.unique(labels)]
    weights = [1 / len(parts) if variant == "tllib" else len(z) / len(labels) for z in parts]
    rates = [coding_rate(z, eps) for z in parts]
    return coding_rate(centered, eps) - float(np.dot(weights, rates))


def coding_rate(rows: NDArray, eps: float) -> float:
    sizes = np.linalg.svd(rows, compute_uv=False)
    sizes = sizes[sizes > 1e-13 * sizes[0]]
    return 0.5 * float(np.sum(np.log(1.0 + sizes**2 / (len(rows) * eps))))
