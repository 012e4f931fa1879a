"""NCTI: how near the features are to neural collapse, in three terms of one discriminant.

The published score adds the three after min-max scaling over a pool of models, so that a model's
score depends on its rivals; here each term is a score by itself.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import eigh, svd

from transferscore.statistics import Statistics
from transferscore.statistics.coordinates import class_sums
from transferscore.statistics.discriminant import discriminant, positive_definite, shrunk
from transferscore.statistics.principal import principal_coordinates

__all__ = [
    "BIBTEX",
    "N_COMPONENTS",
    "PAPER",
    "class_nuclear_norms",
    "class_posteriors",
    "feature_nuclear_norm",
]

N_COMPONENTS = 64

_LEAST_VARIANCE = 1e-6

PAPER = (
    "Wang et al. (2023), How far pre-trained models are from neural collapse on the target "
    "dataset informs their transferability, ICCV"
)

BIBTEX = """@inproceedings{wang2023how,
  title = {How Far Pre-Trained Models Are from Neural Collapse on the Target Dataset Informs Their
           Transferability},
  author = {Wang, Zijian and Luo, Yadan and Zheng, Liang and Huang, Zi and Baktashmotlagh, Mahsa},
  booktitle = {IEEE/CVF International Conference on Computer Vision},
  year = {2023}
}"""


@dataclass(frozen=True, slots=True)
class _Fit:
    """Linear discriminant analysis of the first principal components.

    Attributes:
        units: `(q,)` in which the components are, their spread where nothing is shrunk.
        means: `(K, q)` of the classes.
        total: `(q, q)` covariance of the rows, shrunk like `within`.
        within: `(q, q)` covariance within classes, positive definite.
        variances: `(q,)` of the rows, as they are.
        is_shrunk: Whether the covariances are.
    """

    units: NDArray[np.float64]
    means: NDArray[np.float64]
    total: NDArray[np.float64]
    within: NDArray[np.float64]
    variances: NDArray[np.float64]
    is_shrunk: bool


def feature_nuclear_norm(statistics: Statistics) -> float:
    """Nuclear norm of the centred discriminant projection of all samples, from moments alone."""
    spectrum, width = statistics.spectrum, _width(statistics)
    sums = spectrum.targets[:width] * np.sqrt(spectrum.eigenvalues[:width])[:, None]
    fit = _fit(statistics, (sums / statistics.class_counts).T)
    if len(fit.variances) == 0:
        return 0.0
    ratios, directions = eigh(fit.total - fit.within, fit.within, check_finite=False)
    n_directions = min(statistics.n_columns - 1, len(ratios))
    ratios, directions = ratios[::-1][:n_directions], directions[:, ::-1][:, :n_directions]
    if not fit.is_shrunk:
        # Directions that do not tell classes apart are dropped as published, by singular value.
        directions = directions[:, ratios > 1e-8 * ratios[0]]
    scatter = directions.T @ (fit.variances[:, None] * directions) * statistics.n_samples
    values = eigh(scatter, eigvals_only=True, check_finite=False)
    return float(np.sqrt(np.maximum(values, 0.0)).sum())


def class_posteriors(
    statistics: Statistics, codes: NDArray[np.int64] | None = None
) -> NDArray[np.float64]:
    """In-sample posteriors `(n, K)` of every sample, of its own class or of other `codes`."""
    codes = statistics.targets.class_codes() if codes is None else codes
    counts = statistics.class_counts.astype(np.float64)
    rows = principal_coordinates(statistics, _width(statistics))
    fit = _fit(statistics, class_sums(rows, codes, len(counts)) / counts[:, None])
    scale = float(fit.variances.mean()) if len(fit.variances) > 0 else 0.0
    return discriminant(fit.means, fit.within, counts, scale).posteriors(rows / fit.units)


def class_nuclear_norms(
    statistics: Statistics, codes: NDArray[np.int64] | None = None
) -> NDArray[np.float64]:
    """Nuclear norm `(K,)` of each class's posteriors `(n_c, K)`; of other `codes`, if given."""
    codes = statistics.targets.class_codes() if codes is None else codes
    posteriors = class_posteriors(statistics, codes)
    counts = statistics.targets.counts()
    order = np.argsort(codes, kind="stable")
    norms = np.empty(len(counts))
    for i, (end, count) in enumerate(zip(np.cumsum(counts), counts, strict=True)):
        values = svd(posteriors[order[end - count : end]], compute_uv=False, check_finite=False)
        norms[i] = values.sum()
    return norms


def _width(statistics: Statistics) -> int:
    """How many principal components are kept, those that do not vary among them."""
    return min(N_COMPONENTS, statistics.n_samples, statistics.n_features)


def _fit(statistics: Statistics, means: NDArray[np.float64]) -> _Fit:
    """The fit to class means `(K, q)` of the principal components about the mean of all."""
    n, width, counts = statistics.n_samples, _width(statistics), statistics.class_counts
    explained = statistics.spectrum.eigenvalues[:32]
    shrinkage = float(max(np.exp(-explained.sum() / (n - 1)), 1e-10))
    is_shrunk = shrinkage > 1e-10
    variances = statistics.spectrum.eigenvalues[:width] / n
    units = np.ones_like(variances)
    if not is_shrunk:
        # In units of their spread, which the discriminant does not depend on and rounding does.
        units = np.sqrt(variances)
        means, variances = means / units, np.ones_like(variances)
    weighted = means.T * np.sqrt(counts / n)
    total = np.diag(variances)
    within = total - weighted @ weighted.T
    if is_shrunk:
        total, within = shrunk(total, shrinkage, width), shrunk(within, shrinkage, width)
    if len(variances) > 0:
        if n - len(counts) < len(variances) and shrinkage < _LEAST_VARIANCE:
            # Exactly singular; left to rounding, values of any size would come out.
            within += _LEAST_VARIANCE * variances.mean() * np.eye(len(variances))
        within = positive_definite(within, float(variances.mean()))[0]
    return _Fit(units, means, total, within, variances, is_shrunk)
