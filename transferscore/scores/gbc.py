"""GBC: how little the classes overlap, each taken for a Gaussian."""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.spatial.distance import cdist

from transferscore.errors import InputError
from transferscore.scores.score import ScoreInfo
from transferscore.statistics import Statistics
from transferscore.statistics.coordinates import class_sums
from transferscore.statistics.principal import principal_coordinates

__all__ = ["COVARIANCES", "INFO", "gbc", "gbc_from_statistics"]

COVARIANCES = ("spherical", "diagonal", "full")


def gbc(
    features: ArrayLike,
    labels: ArrayLike,
    *,
    covariance: str = "spherical",
    n_components: int | None = 64,
) -> float:
    r"""Tell how little the classes overlap, each taken for a Gaussian.

    .. math:: -\sum_{i \ne j} \exp(-D_{ij}), \quad
              D_{ij} = \tfrac18 \Delta^T \bar\Sigma^{-1} \Delta
                     + \tfrac12 \log\frac{|\bar\Sigma|}{\sqrt{|\Sigma_i| |\Sigma_j|}},

    the Bhattacharyya distance, over ordered pairs; covariances with divisor n_c - 1 and no floor.
    A class of one sample takes the pooled covariance of the others, and a warning says so.

    Args:
        features: `(n_samples, n_features)`.
        labels: `(n_samples,)` classes.
        covariance: "spherical" (one variance a class, of which the log-determinant counts each
            dimension), "diagonal" or "full".
        n_components: Principal components to keep where both n and d exceed it; None: no reduction.

    Returns:
        In [-K (K - 1), 0]; 0 when no two classes overlap. Pure noise stands near -sum over i != j
        of exp(-p (1/n_i + 1/n_j) / 8) in p dimensions when "spherical", which is near 0, the best,
        when classes have fewer than about p / 8 samples; nearer still for the other covariances.

    Raises:
        InputError: Shapes do not match, a value is not finite, one class only, or an unknown
            covariance.

    References:
        Pandy et al. (2022), Transferability estimation using Bhattacharyya class separability,
        CVPR.

    Examples:
        >>> round(gbc([[1, 0], [2, 1], [0, 1], [1, 2], [3, 1]], [0, 0, 1, 1, 0]), 6)
        -1.053255
    """
    statistics = Statistics(features, labels)
    return gbc_from_statistics(statistics, covariance=covariance, n_components=n_components)


def gbc_from_statistics(
    statistics: Statistics, *, covariance: str = "spherical", n_components: int | None = 64
) -> float:
    """GBC from shared statistics; see `gbc`."""
    if covariance not in COVARIANCES:
        raise InputError(
            f"`covariance` must be one of {', '.join(COVARIANCES)}; got {covariance!r}."
        )
    if n_components is not None and n_components < 1:
        raise InputError(f"`n_components` must be at least 1; got {n_components}.")
    if covariance == "full":
        distances = _full_distances(statistics, n_components)
    else:
        rows = _reduced(statistics, n_components)
        spherical = covariance == "spherical"
        distances = _spherical_distances(rows) if spherical else _diagonal_distances(rows)
        _warn_of_small_classes(rows)
    overlap = np.exp(-distances)
    np.fill_diagonal(overlap, 0.0)
    # Negating the sum itself would give no overlap the sign of -0.0.
    return 0.0 - float(overlap.sum())


@dataclass(frozen=True, slots=True)
class _Reduced:
    """Classes in the dimensions that the formula sees.

    Attributes:
        means: `(K, q)`; q is below `n_dimensions` where the features have a lower rank.
        variances: `(K, q)` of each class, exactly 0 where it does not vary.
        counts: `(K,)`.
        n_dimensions: p, as the formula counts it.
        noise: `(q,)` the square of what rounding leaves of a zero.
    """

    means: NDArray[np.float64]
    variances: NDArray[np.float64]
    counts: NDArray[np.int64]
    n_dimensions: int
    noise: NDArray[np.float64]


def _reduced(statistics: Statistics, n_components: int | None) -> _Reduced:
    counts, codes = statistics.targets.counts(), statistics.targets.class_codes()
    rows, n_dimensions, sizes = _reduced_rows(statistics, n_components)
    noise = (len(rows) * np.finfo(np.float64).eps * sizes) ** 2
    means = class_sums(rows, codes, len(counts)) / counts[:, None]
    rows -= means[codes]
    squares = class_sums(rows**2, codes, len(counts))
    variances = squares / np.maximum(counts - 1, 1)[:, None]
    variances[variances <= noise] = 0.0
    if (single := counts == 1).any():
        variances[single] = squares.sum(axis=0) / max(1, int((counts - 1).sum()))
        _warn_of_single_samples(int(single.sum()), len(counts))
    return _Reduced(means, variances, counts, n_dimensions, noise)


def _reduced_rows(
    statistics: Statistics, n_components: int | None
) -> tuple[NDArray[np.float64], int, NDArray[np.float64]]:
    """The rows `(n, q)`, their number of dimensions p, and the sizes `(q,)` that rounding is of."""
    n, d = statistics.features.shape
    if n_components is None or min(n, d) <= n_components:
        centered = statistics.features - statistics.mean
        return centered, d, np.abs(centered).max(axis=0)
    rows = principal_coordinates(statistics, n_components)
    # Components are sums over all features, so each carries the rounding of the largest.
    return rows, n_components, np.full(rows.shape[1], np.abs(rows).max(initial=0.0))


def _spherical_distances(rows: _Reduced) -> NDArray[np.float64]:
    variances = rows.variances.sum(axis=1) / rows.n_dimensions
    squared = cdist(rows.means, rows.means, "sqeuclidean")
    squared[squared <= rows.noise.sum()] = 0.0
    return _distances(squared, variances, variances[:, None], rows.n_dimensions)


def _diagonal_distances(rows: _Reduced) -> NDArray[np.float64]:
    distances = np.empty((len(rows.means), len(rows.means)))
    for i, (mean, variance) in enumerate(zip(rows.means, rows.variances, strict=True)):
        squared = (rows.means - mean) ** 2
        squared[squared <= rows.noise] = 0.0
        distances[i] = _distances(squared, rows.variances, variance, 1).sum(axis=1)
    return distances


def _distances(
    squared: NDArray[np.float64],
    variances: NDArray[np.float64],
    others: NDArray[np.float64],
    n_dimensions: int,
) -> NDArray[np.float64]:
    """Bhattacharyya distances of Gaussians with these squared gaps and variances.

    Two points are at distance 0 where they coincide; a point and a spread are infinitely far.
    """
    between = 0.5 * (variances + others)
    with np.errstate(divide="ignore", invalid="ignore"):
        apart = np.where(squared > 0.0, squared / (8.0 * between), 0.0)
        ratio = np.log(between / variances) + np.log(between / others)
    # log of the ratio to the geometric mean, in two parts that cannot overflow.
    widths = np.where(between > 0.0, 0.25 * n_dimensions * ratio, 0.0)
    return apart + widths


def _full_distances(statistics: Statistics, n_components: int | None) -> NDArray[np.float64]:
    """Distances between Gaussians with full covariances, in principal components."""
    counts, codes = statistics.targets.counts(), statistics.targets.class_codes()
    width = min(n_components or statistics.spectrum.rank, statistics.spectrum.rank)
    rows = principal_coordinates(statistics, width)
    rows /= np.sqrt(statistics.spectrum.eigenvalues[:width])
    means = class_sums(rows, codes, len(counts)) / counts[:, None]
    rows -= means[codes]
    covariances = np.stack(
        [
            rows[codes == c].T @ rows[codes == c] / max(1, count - 1)
            for c, count in enumerate(counts)
        ]
    )
    signs, log_volumes = np.linalg.slogdet(covariances)
    regular = np.flatnonzero((counts > width) & (signs > 0.0))
    _warn_of_singular(len(counts) - len(regular), width)
    distances = np.full((len(counts), len(counts)), np.inf)
    for position, i in enumerate(regular):
        later = regular[position + 1 :]
        between = 0.5 * (covariances[later] + covariances[i])
        gaps = (means[later] - means[i])[:, :, None]
        apart = np.sum(gaps * np.linalg.solve(between, gaps), axis=(1, 2)) / 8.0
        volumes = np.linalg.slogdet(between)[1] - 0.5 * (log_volumes[later] + log_volumes[i])
        distances[i, later] = distances[later, i] = apart + 0.5 * volumes
    return distances


def _warn_of_single_samples(n_single: int, n_classes: int) -> None:
    if n_single == n_classes:
        text = "Every class has one sample, so GBC is 0, its best, unless features coincide."
    else:
        text = (
            f"{n_single} of {n_classes} classes have one sample and no spread of their own; "
            "they take the pooled spread of the others."
        )
    warnings.warn(text, RuntimeWarning, stacklevel=5)


def _warn_of_singular(n_singular: int, width: int) -> None:
    if n_singular > 0:
        warnings.warn(
            f"{n_singular} classes have no more samples than the {width} dimensions, or do not "
            "vary in some: their full covariances are singular and they count as overlapping "
            "with none. Use covariance='spherical'.",
            RuntimeWarning,
            stacklevel=5,
        )


def _warn_of_small_classes(rows: _Reduced) -> None:
    """Say so where noise itself would stand near 0, the best value."""
    inverse = 1.0 / rows.counts
    exponents = (inverse[:, None] + inverse) * rows.n_dimensions / 8.0
    n_pairs = len(inverse) * (len(inverse) - 1)
    noise = float((np.exp(-exponents).sum() - np.exp(-exponents.diagonal()).sum()) / n_pairs)
    if noise < 0.5:
        warnings.warn(
            f"GBC is near 0, its best, whatever the labels: in {rows.n_dimensions} dimensions "
            f"classes of {rows.counts.mean():.3g} samples on average would overlap by {noise:.2g} "
            "were they all alike. Use lda, which is held out.",
            RuntimeWarning,
            stacklevel=4,
        )


INFO = ScoreInfo(
    name="gbc",
    tells="how little the classes overlap, each taken for a Gaussian",
    range="-K (K - 1) to 0",
    chance="about -sum over class pairs i != j of exp(-p (1/n_i + 1/n_j) / 8), p at most 64 "
    "dimensions: near 0, its best, for classes of fewer than p / 8 samples",
    paper="Pandy et al. (2022), Transferability estimation using Bhattacharyya class "
    "separability, CVPR",
    bibtex="""@inproceedings{pandy2022transferability,
  title = {Transferability Estimation Using Bhattacharyya Class Separability},
  author = {P{\'a}ndy, Michal and Agostinelli, Andrea and Uijlings, Jasper and Ferrari, Vittorio and
            Mensink, Thomas},
  booktitle = {IEEE/CVF Conference on Computer Vision and Pattern Recognition},
  year = {2022}
}""",
    compute=gbc_from_statistics,
)
