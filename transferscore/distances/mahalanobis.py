"""Mahalanobis distance: how far apart the means are, counted in the samples' own spread."""

from __future__ import annotations

import warnings

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.linalg import qr, solve_triangular
from scipy.linalg.lapack import dtrcon

from transferscore.distances.fingerprint import Fingerprint
from transferscore.distances.gaussian import Gaussian
from transferscore.distances.info import DistanceInfo, checked
from transferscore.distances.pair import Pair

__all__ = ["INFO", "mahalanobis", "mahalanobis_of_pair"]

_EPS = float(np.finfo(np.float64).eps)
_CONDITION = 1e12


def mahalanobis(
    source_features: ArrayLike | Fingerprint, target_features: ArrayLike | Fingerprint
) -> float:
    r"""Tell how far apart the means are in units of the spread within the samples.

    .. math:: (\mu_s - \mu_t)^T C^{-1} (\mu_s - \mu_t), \quad
              C = \frac{(n_s - 1) C_s + (n_t - 1) C_t}{n_s + n_t - 2}

    The squared form. Unchanged by any invertible linear map of the features. Where rows are fewer
    than features, only the directions in which the samples vary count; a warning says so if the
    means differ in others too. The estimate grows with d / n.

    Args:
        source_features: `(n_source, d)`, or a fingerprint (exact, from its moments).
        target_features: `(n_target, d)`, or a fingerprint.

    Returns:
        At least 0, without unit; 0 for equal means.

    Raises:
        InputError: Shapes do not match, a value is not finite, or one row only.

    References:
        Mahalanobis (1936), On the generalized distance in statistics, Proc. National Institute of
        Sciences of India 2.

    Examples:
        >>> a = [[1, 0], [2, 1], [0, 1], [1, 2], [3, 1]]
        >>> round(mahalanobis(a, [[4, 0], [5, 1], [3, 2]]), 6)
        5.835971
    """
    return mahalanobis_of_pair(Pair(source_features, target_features))


def mahalanobis_of_pair(pair: Pair) -> float:
    """Squared Mahalanobis distance of a checked pair; see `mahalanobis`."""
    source, target = pair.spread_gaussians("mahalanobis")
    rows, gap = _in_equal_units(source, target)
    if not gap.any():
        return 0.0
    degrees = source.count + target.count - 2
    return checked(degrees * _inverse_form(rows, gap), "mahalanobis")


def _in_equal_units(
    source: Gaussian, target: Gaussian
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Centred rows of both sides and the gap of the means, each feature by its own spread.

    Without this a feature in large units would make the others look like rounding noise.
    """
    unit = max(float(np.abs(g.factor).max()) for g in (source, target)) or 1.0
    rows = np.concatenate([g.factor * (np.sqrt(g.count - 1) / unit) for g in (source, target)])
    gap = (source.mean - target.mean) / unit
    spread = np.sqrt(np.einsum("ij,ij->j", rows, rows))
    magnitude = np.maximum(np.abs(source.mean), np.abs(target.mean)) / unit
    # A rounded mean leaves a constant feature with this much spread, and with this much gap.
    noise = 4.0 * _EPS * np.sqrt(len(rows)) * magnitude
    varies = spread > noise
    gap = np.where(np.abs(gap) > 4.0 * _EPS * magnitude, gap, 0.0)
    rows[:, ~varies] = 0.0
    return rows / np.where(varies, spread, 1.0), gap / np.where(varies, spread, 1.0)


def _inverse_form(rows: NDArray[np.float64], gap: NDArray[np.float64]) -> float:
    """gap^T (rows^T rows)^-1 gap, within the span of the rows where that is not everything."""
    if len(rows) >= len(gap):
        triangle = qr(rows, mode="r", check_finite=False)[0][: len(gap)]
        if dtrcon(triangle)[0] > 1.0 / _CONDITION:
            solved = solve_triangular(triangle, gap, trans="T", check_finite=False)
            return float(solved @ solved)
        rows = triangle
    _, values, directions = np.linalg.svd(rows, full_matrices=False)
    kept = values > values[0] * max(rows.shape) * _EPS
    coordinates = directions[kept] @ gap
    _warn_outside(gap, gap - directions[kept].T @ coordinates, int(kept.sum()))
    return float(np.sum((coordinates / values[kept]) ** 2))


def _warn_outside(gap: NDArray[np.float64], outside: NDArray[np.float64], rank: int) -> None:
    share = float(outside @ outside) / float(gap @ gap)
    if share > 1e-12:
        warnings.warn(
            f"The samples vary in {rank} of {len(gap)} directions only, and {share:.1%} of the "
            "squared difference of their means lies in others: the Mahalanobis distance leaves it "
            "out. Give more rows, or use frechet.",
            RuntimeWarning,
            stacklevel=4,
        )


INFO = DistanceInfo(
    name="mahalanobis",
    tells="how far apart the means are, in units of the spread within the samples",
    range="at least 0",
    unit="1",
    paper="Mahalanobis (1936), On the generalized distance in statistics, Proceedings of the "
    "National Institute of Sciences of India 2",
    bibtex="""@article{mahalanobis1936generalized,
  title = {On the Generalized Distance in Statistics},
  author = {Mahalanobis, Prasanta Chandra},
  journal = {Proceedings of the National Institute of Sciences of India},
  volume = {2},
  number = {1},
  pages = {49--55},
  year = {1936}
}""",
    compute=mahalanobis_of_pair,
    rests_on="moments",
)
