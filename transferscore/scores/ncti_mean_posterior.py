"""NCTI's second term: how surely a discriminant tells the classes apart, in sample."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from transferscore.scores.ncti import BIBTEX, N_COMPONENTS, PAPER, class_posteriors
from transferscore.scores.score import ScoreInfo
from transferscore.scores.sfda import warn_in_sample
from transferscore.statistics import Statistics

__all__ = ["INFO", "ncti_mean_posterior", "ncti_mean_posterior_from_statistics"]


def ncti_mean_posterior(features: ArrayLike, labels: ArrayLike) -> float:
    r"""Tell how surely a discriminant tells the classes apart, on the samples it was fitted to.

    .. math:: \tfrac1n \sum_i p(y_i \mid x_i),

    after principal components (at most 64) and linear discriminant analysis, shrunk by the
    exponential of minus the variance of the first 32. One of NCTI's three terms, as each model has
    it; the published sum scales each term over a pool of models first. Where samples are too few
    for an unshrunk covariance, a millionth of the mean variance is added.

    Args:
        features: `(n_samples, n_features)`.
        labels: `(n_samples,)` classes.

    Returns:
        In [0, 1]. In sample, so pure noise stands above 1/K, nearing 1 as n falls to 64, with a
        warning; `lda`, which is held out, stands at the chance level in every regime.

    Raises:
        InputError: Shapes do not match, a value is not finite, or one class only.

    References:
        Wang et al. (2023), How far pre-trained models are from neural collapse on the target
        dataset informs their transferability, ICCV.

    Examples:
        >>> round(ncti_mean_posterior([[1], [2], [0], [1.4], [3]], [0, 0, 1, 1, 0]), 6)
        0.711096
    """
    return ncti_mean_posterior_from_statistics(Statistics(features, labels))


def ncti_mean_posterior_from_statistics(statistics: Statistics) -> float:
    """Mean posterior from shared statistics; see `ncti_mean_posterior`."""
    warn_in_sample("NCTI's posterior", statistics, min(N_COMPONENTS, statistics.spectrum.rank))
    posteriors = class_posteriors(statistics)
    codes = statistics.targets.class_codes()
    return float(posteriors[np.arange(len(codes)), codes].mean())


INFO = ScoreInfo(
    name="ncti_mean_posterior",
    tells="how surely a discriminant of 64 components tells the classes apart, in sample",
    range="0 to 1",
    chance="above 1/K, nearing 1 as n falls to 64 (a warning says so); see lda, held out",
    paper=PAPER,
    bibtex=BIBTEX,
    compute=ncti_mean_posterior_from_statistics,
)
