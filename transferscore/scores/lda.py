"""LDA: the posterior that a linear discriminant gives the true class of unseen samples."""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from transferscore.errors import InputError
from transferscore.scores.score import ScoreInfo
from transferscore.scores.sfda import warn_in_sample
from transferscore.statistics import Statistics
from transferscore.statistics.coordinates import (
    centered_rows,
    class_means,
    class_sums,
    total_scatter,
    within_scatter,
)
from transferscore.statistics.discriminant import Discriminant, discriminant, shrunk
from transferscore.statistics.folds import row_invariants
from transferscore.statistics.rows import feature_mean, row_blocks
from transferscore.statistics.shrinkage import ledoit_wolf_shrinkage, shrinkage_of

__all__ = ["INFO", "IN_SAMPLE", "lda", "lda_from_statistics"]

IN_SAMPLE = ("no_shrinkage", "ledoit_wolf")

_LEAST_VARIANCE = 1e-12


def lda(
    features: ArrayLike, labels: ArrayLike, *, n_folds: int = 5, in_sample: str | None = None
) -> float:
    r"""Tell how surely a linear discriminant tells the classes of unseen samples apart.

    .. math:: \tfrac1n \sum_i p_{-f(i)}(y_i \mid x_i),

    the posterior of the true class under Gaussians of one covariance, fitted to the other folds.
    The covariance is shrunk as Ledoit and Wolf shrink that of all samples, in which the labels have
    no part; class priors are class shares. Folds are stratified, and dealt in the order of the
    samples' distances from the mean, so that neither order nor seed matters.

    Args:
        features: `(n_samples, n_features)`.
        labels: `(n_samples,)` classes.
        n_folds: Number of folds.
        in_sample: The posterior of the samples fitted to instead: "no_shrinkage" by the plain
            covariance within classes, divisor n; "ledoit_wolf" by a shrunk one for each class, on
            standardised features, weighted by class shares.

    Returns:
        Mean posterior in [0, 1]. Pure noise stands at 1/K for equal classes, for every n and d;
        otherwise between the sum of squared class shares and the largest share. In sample it stands
        above, nearing 1 as n falls to d. A class's only sample counts 0: without it the class is
        unknown.

    Raises:
        InputError: Shapes do not match, a value is not finite, one class only, fewer than 2 folds,
            or an unknown name.

    References:
        Fisher (1936), The use of multiple measurements in taxonomic problems, Annals of Eugenics 7;
        Stone (1974), Cross-validatory choice and assessment of statistical predictions, JRSS B 36.

    Examples:
        >>> round(lda([[1, 0], [2, 1], [0, 1], [1, 2], [3, 1]], [0, 0, 1, 1, 0]), 6)
        0.846547
    """
    return lda_from_statistics(Statistics(features, labels), n_folds=n_folds, in_sample=in_sample)


def lda_from_statistics(
    statistics: Statistics, *, n_folds: int = 5, in_sample: str | None = None
) -> float:
    """Held-out LDA posterior from shared statistics; see `lda`."""
    if in_sample is not None:
        return _in_sample(statistics, in_sample)
    if n_folds < 2:
        raise InputError(f"`n_folds` must be at least 2; got {n_folds}.")
    whole = _Part(
        total_scatter(statistics),
        class_means(statistics) * statistics.targets.counts()[:, None],
        statistics.targets.counts(),
    )
    shrinkage = ledoit_wolf_shrinkage(
        statistics.spectrum.eigenvalues, statistics.norm_fourth, *statistics.features.shape
    )
    _warn_of_single_samples(whole.counts)
    folds, total = _folds(statistics, n_folds), 0.0
    for fold in range(int(folds.max()) + 1):
        held = np.flatnonzero(folds == fold)
        if len(held) == statistics.n_samples:
            # Every class has one sample: nothing is left to fit, and every posterior is 0.
            continue
        fitted = _fit_others(
            whole, _part(statistics, held, whole.sums.shape), shrinkage, statistics.n_features
        )
        total += _true_posterior(statistics, fitted, held)
    return total / statistics.n_samples


@dataclass(frozen=True, slots=True)
class _Part:
    """Moments of some rows about the mean of all.

    Attributes:
        scatter: `(p, p)` sum of x x^T.
        sums: `(K, p)` class sums.
        counts: `(K,)`.
    """

    scatter: NDArray[np.float64]
    sums: NDArray[np.float64]
    counts: NDArray[np.int64]


def _folds(statistics: Statistics, n_folds: int) -> NDArray[np.int64]:
    """Fold of each row `(n,)`. Classes of one size lose the same number of rows to each fold.

    Were a held-out row's class alone to lose rows, its mean would be the noisiest, and pure noise
    would stand below chance.
    """
    codes, counts = statistics.targets.class_codes(), statistics.targets.counts()
    norms, leaning = row_invariants(statistics)
    order = np.lexsort((leaning, norms, codes))
    starts = np.repeat(np.cumsum(counts) - counts, counts)
    folds = np.empty(len(codes), dtype=np.int64)
    folds[order] = (np.arange(len(codes)) - starts) % n_folds
    return folds


def _warn_of_single_samples(counts: NDArray[np.int64]) -> None:
    if n_single := int(np.count_nonzero(counts == 1)):
        warnings.warn(
            f"{n_single} of {len(counts)} classes have one sample, which LDA counts as 0: without "
            "it the class is unknown.",
            RuntimeWarning,
            stacklevel=4,
        )


def _part(statistics: Statistics, held: NDArray[np.int64], shape: tuple[int, int]) -> _Part:
    """Moments of the rows held out, of class sums of the shape `(K, p)`."""
    codes, n_classes = statistics.targets.class_codes(), shape[0]
    scatter, sums = np.zeros((shape[1], shape[1])), np.zeros(shape)
    for block in row_blocks(len(held), statistics.n_features):
        rows = centered_rows(statistics, held[block])
        scatter += rows.T @ rows
        sums += class_sums(rows, codes[held[block]], n_classes)
    return _Part(scatter, sums, np.bincount(codes[held], minlength=n_classes))


def _fit_others(whole: _Part, held: _Part, shrinkage: float, n_features: int) -> Discriminant:
    """The discriminant of all rows but those held out."""
    counts = whole.counts - held.counts
    n_present, n_rows = int(np.count_nonzero(counts)), int(counts.sum())
    sums = whole.sums - held.sums
    means = sums / np.maximum(counts, 1)[:, None]
    scale = float(np.trace(whole.scatter)) / (whole.counts.sum() * n_features)
    if n_rows == n_present:
        # One row a class says nothing of the spread within: all directions count alike.
        covariance = np.zeros(whole.scatter.shape)
        least = scale
    else:
        scaled = sums.T / np.sqrt(np.maximum(counts, 1))
        within = whole.scatter - held.scatter - scaled @ scaled.T
        covariance = shrunk(within / (n_rows - n_present), shrinkage, n_features)
        least = _LEAST_VARIANCE * scale
    covariance.flat[:: len(covariance) + 1] += least
    return discriminant(means, covariance, counts.astype(np.float64), scale)


def _true_posterior(statistics: Statistics, fitted: Discriminant, rows: NDArray[np.int64]) -> float:
    """Sum over rows of the posterior of their own class."""
    codes, total = statistics.targets.class_codes(), 0.0
    for block in row_blocks(len(rows), statistics.n_features):
        held = rows[block]
        posteriors = fitted.posteriors(centered_rows(statistics, held))
        total += float(posteriors[np.arange(len(held)), codes[held]].sum())
    return total


def _in_sample(statistics: Statistics, name: str) -> float:
    if name not in IN_SAMPLE:
        raise InputError(f"`in_sample` must be one of {', '.join(IN_SAMPLE)}; got {name!r}.")
    warn_in_sample("LDA in sample", statistics, statistics.spectrum.rank)
    if name == "ledoit_wolf":
        return _by_class_covariances(statistics)
    counts = statistics.targets.counts().astype(np.float64)
    within = within_scatter(statistics) / statistics.n_samples
    fitted = discriminant(class_means(statistics), within, counts, _mean_variance(statistics))
    n = statistics.n_samples
    return _true_posterior(statistics, fitted, np.arange(n)) / n


def _mean_variance(statistics: Statistics) -> float:
    n, d = statistics.features.shape
    return float(statistics.spectrum.eigenvalues.sum() / (n * d))


def _by_class_covariances(statistics: Statistics) -> float:
    """In-sample mean posterior under the class-share average of shrunk class covariances."""
    codes, counts = statistics.targets.class_codes(), statistics.targets.counts()
    order, n = np.argsort(codes, kind="stable"), statistics.n_samples
    means = np.empty((len(counts), statistics.n_features))
    covariance = np.zeros((statistics.n_features,) * 2)
    for c, (end, count) in enumerate(zip(np.cumsum(counts), counts, strict=True)):
        rows = statistics.features[order[end - count : end]]
        mean = feature_mean(rows)
        means[c] = mean - statistics.mean
        _add_class_covariance(covariance, rows - mean, mean, count / n)
    fitted = discriminant(means, covariance, counts.astype(float), _mean_variance(statistics))
    total = 0.0
    for block in row_blocks(n, statistics.n_features):
        posteriors = fitted.posteriors(statistics.features[block] - statistics.mean)
        total += float(posteriors[np.arange(len(posteriors)), codes[block]].sum())
    return total / n


def _add_class_covariance(
    covariance: NDArray[np.float64],
    rows: NDArray[np.float64],
    mean: NDArray[np.float64],
    share: float,
) -> None:
    """Add `share` of the covariance of centred rows `(n_c, d)`, shrunk on standardised features."""
    (n, d), eps = rows.shape, np.finfo(np.float64).eps
    variances = np.mean(rows**2, axis=0)
    # A feature that is constant in the class but for rounding keeps its units.
    constant = variances <= n * eps * variances + (n * mean * eps) ** 2
    units = np.sqrt(np.where(constant, 1.0, variances))
    standard = rows / units
    gram = standard @ standard.T if n < d else standard.T @ standard
    norms = np.einsum("ij,ij->i", standard, standard)
    trace, squares = float(norms.sum()) / n, float(np.sum(gram**2)) / n**2
    a = shrinkage_of(trace, squares, float(norms @ norms) / n, n, d)
    covariance += (share * (1.0 - a) / n) * (rows.T @ rows)
    covariance.flat[:: d + 1] += share * a * trace / d * units**2


INFO = ScoreInfo(
    name="lda",
    tells="how surely a linear discriminant tells the classes of unseen samples apart (5 folds)",
    range="0 to 1",
    chance="1/K for equal classes, for every n and d; otherwise between the sum of squared class "
    "shares and the largest share",
    paper="Fisher (1936), The use of multiple measurements in taxonomic problems, Annals of "
    "Eugenics 7",
    bibtex="""@article{fisher1936use,
  title = {The Use of Multiple Measurements in Taxonomic Problems},
  author = {Fisher, Ronald A.},
  journal = {Annals of Eugenics},
  volume = {7},
  number = {2},
  pages = {179--188},
  year = {1936}
}""",
    compute=lda_from_statistics,
)
