"""Gaussian mixtures with full covariances, by expectation-maximisation.

With many components each has few points, fewer than there are dimensions. Its covariance then is of
low rank but for its ridge, and the Woodbury identity evaluates it at the cost of its points: that
is what makes hundreds of components in hundreds of dimensions cheap.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cholesky, solve_triangular

from transferscore.statistics.kmeans import kmeans

__all__ = ["mixture_posteriors"]

_RIDGE = 1e-6
_MAX_ROUNDS = 100
_TOLERANCE = 1e-3

# A smaller part in a component changes no digit of it.
_LEAST_PART = 1e-30

_Matrix = NDArray[np.float64]


def mixture_posteriors(points: _Matrix, n_components: int, seed: int) -> _Matrix:
    """Probability of each component given each point `(n, n_components)`.

    Starts from k-means, adds 1e-6 to the diagonal of covariances and stops when the mean log
    likelihood changes by less than 1e-3, after 100 rounds at most, as scikit-learn does: the same
    seed gives the same mixture.

    Args:
        points: `(n, p)`.
        n_components: At most n.
        seed: Of the k-means start.
    """
    parts = np.zeros((len(points), n_components))
    parts[np.arange(len(points)), kmeans(points, n_components, seed)] = 1.0
    # In units so large that rounding exceeds the ridge, the ridge grows with rounding.
    ridge = max(_RIDGE, 64 * np.finfo(np.float64).eps * float(points.var(axis=0).sum()))
    bound = -np.inf
    for _ in range(_MAX_ROUNDS):
        before, last = parts, bound
        parts, bound = _posteriors(points, parts, ridge)
        if np.array_equal(before, parts):
            return parts
        if abs(bound - last) < _TOLERANCE:
            break
    return _posteriors(points, parts, ridge)[0]


def _posteriors(points: _Matrix, parts: _Matrix, ridge: float) -> tuple[_Matrix, float]:
    """Refit the components to the points' parts in them; new parts and mean log likelihood."""
    sizes = parts.sum(axis=0) + 10 * np.finfo(np.float64).eps
    means = (parts.T @ points) / sizes[:, None]
    logs = _log_densities(points, parts, sizes, means, ridge)
    logs += np.log(sizes / sizes.sum())
    top = logs.max(axis=1, keepdims=True)
    logs -= top
    np.exp(logs, out=logs)
    sums = logs.sum(axis=1, keepdims=True)
    logs /= sums
    return logs, float(np.mean(top + np.log(sums)))


def _log_densities(
    points: _Matrix, parts: _Matrix, sizes: _Matrix, means: _Matrix, ridge: float
) -> _Matrix:
    """Log density of each component at each point `(n, k)`."""
    p = points.shape[1]
    logs = np.empty(parts.shape)
    distances = np.einsum("ij,ij->i", points, points)[:, None] - 2.0 * (points @ means.T)
    distances += np.einsum("ij,ij->i", means, means)
    for k, mean in enumerate(means):
        members = np.flatnonzero(parts[:, k] > _LEAST_PART)
        rows = np.sqrt(parts[members, k, None] / sizes[k]) * (points[members] - mean)
        if len(members) < p:
            quadratic, log_det = _few(points, rows, mean, distances[:, k], ridge)
        else:
            quadratic, log_det = _many(points, rows, mean, ridge)
        logs[:, k] = -0.5 * (p * np.log(2.0 * np.pi) + log_det + quadratic)
    return logs


def _few(
    points: _Matrix, rows: _Matrix, mean: NDArray[np.float64], distances: _Matrix, ridge: float
) -> tuple[_Matrix, float]:
    """Quadratic form and log determinant of rows' rows + ridge I, with fewer rows than columns."""
    m, p = rows.shape
    lower = cholesky(rows @ rows.T + ridge * np.eye(m), lower=True, check_finite=False)
    along = rows @ points.T
    along -= (rows @ mean)[:, None]
    along = solve_triangular(lower, along, lower=True, overwrite_b=True, check_finite=False)
    beside = np.maximum(distances - np.einsum("ij,ij->j", along, along), 0.0)
    log_det = 2.0 * float(np.log(np.diag(lower)).sum()) + (p - m) * np.log(ridge)
    return beside / ridge, log_det


def _many(
    points: _Matrix, rows: _Matrix, mean: NDArray[np.float64], ridge: float
) -> tuple[_Matrix, float]:
    covariance = rows.T @ rows + ridge * np.eye(rows.shape[1])
    lower = cholesky(covariance, lower=True, check_finite=False)
    white = solve_triangular(lower, (points - mean).T, lower=True, check_finite=False)
    return np.einsum("ij,ij->j", white, white), 2.0 * float(np.log(np.diag(lower)).sum())
