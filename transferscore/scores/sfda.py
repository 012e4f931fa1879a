"""SFDA: how surely a Fisher discriminant tells classes apart once hard samples are made harder."""

from __future__ import annotations

import warnings

import numpy as np
from numpy.typing import ArrayLike, NDArray

from transferscore.scores.score import ScoreInfo
from transferscore.statistics import Statistics
from transferscore.statistics.coordinates import (
    centered_rows,
    class_means,
    class_sums,
    ones_direction,
    total_scatter,
    within_scatter,
)
from transferscore.statistics.discriminant import Discriminant, discriminant, shrunk, softmax
from transferscore.statistics.rows import row_blocks

__all__ = ["INFO", "sfda", "sfda_from_statistics", "warn_in_sample"]


def sfda(features: ArrayLike, labels: ArrayLike) -> float:
    r"""Tell how surely a Fisher discriminant tells classes apart after mixing in the other classes.

    .. math:: \tfrac1n \sum_i p(y_i \mid x_i'), \quad x' = c x + (1 - c) \bar x_{\ne y},

    the in-sample posterior of regularised linear discriminant analysis, fitted twice: first to find
    the confidence c in each sample, then on samples moved by 1 - c towards the mean of the other
    classes' means. The shrinkage is exp(-5 w), w the largest within-class variance by three power
    steps as published; covariances have divisor n.

    Args:
        features: `(n_samples, n_features)`.
        labels: `(n_samples,)` classes.

    Returns:
        Mean posterior, no logarithm, in [0, 1]. Not invariant to scale. In sample, so pure noise
        stands above 1/K, and nears 1 as n falls to d, with a warning; `lda`, which is held out,
        stands at the chance level in every regime.

    Raises:
        InputError: Shapes do not match, a value is not finite, or one class only.

    References:
        Shao et al. (2022), Not all models are equal: predicting model transferability in a
        self-challenging Fisher space, ECCV.

    Examples:
        >>> round(sfda([[1], [2], [0], [1.4], [3]], [0, 0, 1, 1, 0]), 6)
        0.570326
    """
    return sfda_from_statistics(Statistics(features, labels))


def sfda_from_statistics(statistics: Statistics) -> float:
    """SFDA from shared statistics; see `sfda`."""
    warn_in_sample("SFDA", statistics, statistics.spectrum.rank)
    n, d = statistics.features.shape
    counts = statistics.targets.counts().astype(np.float64)
    means, within = class_means(statistics), within_scatter(statistics) / n
    scale = float(np.trace(total_scatter(statistics))) / (n * d)
    shrinkage = _shrinkage(within, ones_direction(statistics))
    first = discriminant(means, shrunk(within, shrinkage, d), counts, scale)
    others = (means.sum(axis=0) - means) / (len(means) - 1)
    confidence = _confidence(statistics, first)
    means, within = _mixed_moments(statistics, others, confidence)
    second = discriminant(means, shrunk(within, shrinkage, d), counts, scale)
    return _mean_posterior(statistics, others, confidence, second)


def warn_in_sample(name: str, statistics: Statistics, n_directions: int) -> None:
    """Say so where an in-sample posterior is high for want of samples rather than by merit."""
    spare = statistics.n_samples - statistics.n_columns
    if spare < 2 * n_directions:
        how_good = "as good as perfect" if spare <= n_directions else "too good"
        warnings.warn(
            f"{name} is {how_good} whatever the labels: it is the fit to "
            f"{statistics.n_samples} samples along {n_directions} directions. "
            "Use lda, which is held out.",
            RuntimeWarning,
            stacklevel=4,
        )


def _shrinkage(within: NDArray[np.float64], start: NDArray[np.float64]) -> float:
    """exp(-5 w), w the largest eigenvalue by three double power steps from the row sums."""
    left = within @ start
    right = left
    for _ in range(3):
        right = _unit(within @ left)
        left = _unit(within @ right)
    largest = float(left @ within @ right)
    return float(max(np.exp(-5.0 * largest), 1e-10))


def _unit(vector: NDArray[np.float64]) -> NDArray[np.float64]:
    length = float(np.linalg.norm(vector))
    return vector / length if length > 0.0 else vector


def _confidence(statistics: Statistics, fitted: Discriminant) -> NDArray[np.float64]:
    """The true class's posterior, softened by a second softmax as published `(n,)`."""
    codes = statistics.targets.class_codes()
    confidence = np.empty(len(codes))
    for block in row_blocks(*statistics.features.shape):
        softened = softmax(fitted.posteriors(centered_rows(statistics, block)))
        confidence[block] = softened[np.arange(len(softened)), codes[block]]
    return confidence


def _mixed_rows(
    statistics: Statistics,
    others: NDArray[np.float64],
    confidence: NDArray[np.float64],
    block: slice,
) -> NDArray[np.float64]:
    towards = others[statistics.targets.class_codes()[block]]
    mixed = centered_rows(statistics, block)
    mixed -= towards
    mixed *= confidence[block, None]
    mixed += towards
    return mixed


def _mixed_moments(
    statistics: Statistics, others: NDArray[np.float64], confidence: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Class means `(K, p)` and within-class covariance `(p, p)` of the mixed rows."""
    counts, codes = statistics.targets.counts(), statistics.targets.class_codes()
    means, scatter = np.zeros(others.shape), np.zeros((others.shape[1],) * 2)
    for block in row_blocks(*statistics.features.shape):
        mixed = _mixed_rows(statistics, others, confidence, block)
        means += class_sums(mixed, codes[block], len(counts))
        scatter += mixed.T @ mixed
    means /= counts[:, None]
    scaled = means.T * np.sqrt(counts)
    scatter -= scaled @ scaled.T
    scatter /= len(codes)
    return means, scatter


def _mean_posterior(
    statistics: Statistics,
    others: NDArray[np.float64],
    confidence: NDArray[np.float64],
    fitted: Discriminant,
) -> float:
    codes, total = statistics.targets.class_codes(), 0.0
    for block in row_blocks(*statistics.features.shape):
        posteriors = fitted.posteriors(_mixed_rows(statistics, others, confidence, block))
        total += float(posteriors[np.arange(len(posteriors)), codes[block]].sum())
    return total / len(codes)


INFO = ScoreInfo(
    name="sfda",
    tells="how surely a Fisher discriminant tells the classes apart, in sample, hard ones moved",
    range="0 to 1",
    chance="above 1/K, nearing 1 as n falls to d (a warning says so); see lda, held out",
    paper="Shao et al. (2022), Not all models are equal: predicting model transferability in a "
    "self-challenging Fisher space, ECCV",
    bibtex="""@inproceedings{shao2022not,
  title = {Not All Models Are Equal: Predicting Model Transferability in a Self-Challenging Fisher
           Space},
  author = {Shao, Wenqi and Zhao, Xun and Ge, Yixiao and Zhang, Zhaoyang and Yang, Lei and
            Wang, Xiaogang and Shan, Ying and Luo, Ping},
  booktitle = {European Conference on Computer Vision},
  year = {2022}
}""",
    compute=sfda_from_statistics,
)
