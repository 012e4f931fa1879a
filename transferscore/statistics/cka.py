"""Linear centred kernel alignment: how alike two views of the same samples are."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from transferscore.errors import InputError
from transferscore.statistics.rows import check_features, feature_mean, row_blocks

__all__ = ["cka", "debiased_alignment", "unbiased_hsic"]


def cka(features: ArrayLike, features_b: ArrayLike, *, debiased: bool = True) -> float:
    r"""Tell how alike the geometry of the same samples is in two feature spaces.

    .. math:: \frac{\mathrm{HSIC}(K, L)}{\sqrt{\mathrm{HSIC}(K, K) \, \mathrm{HSIC}(L, L)}}

    of the linear kernels of both. Rotations, shifts and one common scale change nothing.

    Args:
        features: `(n_samples, n_features)`.
        features_b: `(n_samples, n_features_b)`, the same samples in the same order.
        debiased: Whether HSIC is the unbiased estimate, which needs 4 samples.

    Returns:
        1 for the same geometry. Unrelated features stand at 0 when debiased, for every n and d;
        otherwise in [0, 1], and towards 1 as n falls below d.

    Raises:
        InputError: Shapes do not match, a value is not finite, or fewer than 4 samples.

    References:
        Kornblith et al. (2019), Similarity of neural network representations revisited, ICML; the
        unbiased estimate: Song et al. (2012), Feature selection via dependence maximization, JMLR.

    Examples:
        >>> x = [[1, 0], [2, 1], [0, 1], [1, 2], [3, 1]]
        >>> round(cka(x, [[0, 2], [2, 4], [2, 0], [4, 2], [2, 6]]), 6)
        1.0
    """
    a, b = _centered(check_features(features)), _centered(check_features(features_b, "features_b"))
    _check_pair(a, b, debiased)
    cross, own_a, own_b = squared_cross(a, b), squared_cross(a, a), squared_cross(b, b)
    if not debiased:
        return cross / float(np.sqrt(own_a * own_b)) if own_a > 0.0 < own_b else 0.0
    norms_a, norms_b = np.einsum("ij,ij->i", a, a), np.einsum("ij,ij->i", b, b)
    return debiased_alignment(
        unbiased_hsic(cross, norms_a, norms_b),
        unbiased_hsic(own_a, norms_a, norms_a),
        unbiased_hsic(own_b, norms_b, norms_b),
    )


def unbiased_hsic(
    squared: float, norms_a: NDArray[np.float64], norms_b: NDArray[np.float64]
) -> float:
    """N (n - 3) times the unbiased HSIC of linear kernels of centred A and B.

    Args:
        squared: Squared Frobenius norm of A^T B.
        norms_a: `(n,)` squared norms of the centred rows of A.
        norms_b: `(n,)` those of B.
    """
    n = len(norms_a)
    shared = float(norms_a @ norms_b) * n / (n - 2)
    return squared - shared + float(norms_a.sum() * norms_b.sum()) / ((n - 1) * (n - 2))


def debiased_alignment(cross: float, own_a: float, own_b: float) -> float:
    """The ratio of unbiased HSICs, 0 with a warning where a kernel's own is not positive."""
    if own_a > 0.0 < own_b:
        return cross / float(np.sqrt(own_a) * np.sqrt(own_b))
    warnings.warn(
        "Debiased CKA is undefined and was set to 0: the samples show no structure beyond a few "
        "single rows, in one view at least.",
        RuntimeWarning,
        stacklevel=4,
    )
    return 0.0


def squared_cross(a: NDArray[np.float64], b: NDArray[np.float64]) -> float:
    """Squared Frobenius norm of A^T B, from whichever of features and Gram blocks is smaller."""
    n = len(a)
    if a.shape[1] * b.shape[1] <= n * (a.shape[1] + b.shape[1]):
        return float(np.sum((a.T @ b) ** 2))
    total = 0.0
    for rows in row_blocks(n, 2 * n):
        total += float(np.sum((a[rows] @ a.T) * (b[rows] @ b.T)))
    return total


def _centered(features: NDArray[Any]) -> NDArray[np.float64]:
    centered: NDArray[np.float64] = features - feature_mean(features)
    # Of unit size, so that fourth powers stay in range.
    size = float(np.abs(centered).max())
    return centered / size if size > 0.0 else centered


def _check_pair(a: NDArray[np.float64], b: NDArray[np.float64], debiased: bool) -> None:
    if len(a) != len(b):
        raise InputError(
            f"`features_b` must have one row per row of `features` ({len(a)}); got {len(b)}."
        )
    if debiased and len(a) < 4:
        raise InputError(
            f"Debiased CKA needs at least 4 samples; got {len(a)}. Pass debiased=False."
        )
