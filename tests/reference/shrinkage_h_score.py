"""Shrinkage H-score as Ibrahim et al. (2022) define it, with Ledoit & Wolf (2004) term by term."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tests.reference.h_score import projected

__all__ = ["ledoit_wolf", "shrinkage_h_score", "shrunk_covariance"]


def shrinkage_h_score(features: NDArray, columns: NDArray) -> float:
    """tr(S_a^-1 (1 - a) cov(P F)); divisor n in the covariance, n - 1 between classes."""
    a, shrunk = shrunk_covariance(features)
    between = np.atleast_2d(np.cov(projected(features, columns), rowvar=False, ddof=1))
    return float(np.trace(np.linalg.solve(shrunk, (1.0 - a) * between)))


def shrunk_covariance(features: NDArray) -> tuple[float, NDArray]:
    """The shrinkage a, and (1 - a) S + a (tr S / d) I."""
    d = features.shape[1]
    covariance = np.atleast_2d(np.cov(features, rowvar=False, ddof=0))
    a = ledoit_wolf(features)
    return a, (1.0 - a) * covariance + a * np.trace(covariance) / d * np.eye(d)


def ledoit_wolf(features: NDArray) -> float:
    """a = min(b2, d2) / d2 in the paper's letters, one sample at a time."""
    n, d = features.shape
    centered = features - features.mean(axis=0)
    covariance = centered.T @ centered / n
    m = np.trace(covariance) / d
    d2 = np.sum((covariance - m * np.eye(d)) ** 2) / d
    b2 = sum(np.sum((np.outer(x, x) - covariance) ** 2) for x in centered) / n**2 / d
    return float(min(b2, d2) / d2) if d > 1 else 0.0
