"""NCTI's third term, negated: how alike the posteriors of a class are."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from transferscore.scores.ncti import BIBTEX, N_COMPONENTS, PAPER, class_nuclear_norms
from transferscore.scores.score import ScoreInfo
from transferscore.scores.sfda import warn_in_sample
from transferscore.statistics import Statistics

__all__ = ["INFO", "ncti_log_class_nuclear_norm", "ncti_log_class_nuclear_norm_from_statistics"]


def ncti_log_class_nuclear_norm(features: ArrayLike, labels: ArrayLike) -> float:
    r"""Tell how far each class has collapsed to one direction, by the posteriors of its samples.

    .. math:: -\log \sum_c \| P_c \|_*,

    P_c the posteriors of the samples of class c, after principal components (at most 64) and linear
    discriminant analysis, shrunk by the exponential of minus the variance of the first 32. One of
    NCTI's three terms, as each model has it; the published sum scales each term over a pool of
    models first, and subtracts this one, so that it is negated here: higher is better. Where
    samples are too few for an unshrunk covariance, a millionth of the mean variance is added.

    Args:
        features: `(n_samples, n_features)`.
        labels: `(n_samples,)` classes.

    Returns:
        Between -log(sqrt(n K min(K, m))), m the largest class, and -log(sqrt(n / K)). Posteriors
        that are all alike stand as high as posteriors that are all right: read it beside
        `ncti_mean_posterior`. Pure noise stands between, by an amount that depends on n and K.

    Raises:
        InputError: Shapes do not match, a value is not finite, or one class only.

    References:
        Wang et al. (2023), How far pre-trained models are from neural collapse on the target
        dataset informs their transferability, ICCV.

    Examples:
        >>> round(ncti_log_class_nuclear_norm([[1], [2], [0], [1.4], [3]], [0, 0, 1, 1, 0]), 6)
        -1.255268
    """
    return ncti_log_class_nuclear_norm_from_statistics(Statistics(features, labels))


def ncti_log_class_nuclear_norm_from_statistics(statistics: Statistics) -> float:
    """From shared statistics; see `ncti_log_class_nuclear_norm`."""
    warn_in_sample("NCTI's class norm", statistics, min(N_COMPONENTS, statistics.spectrum.rank))
    return -float(np.log(class_nuclear_norms(statistics).sum()))


INFO = ScoreInfo(
    name="ncti_log_class_nuclear_norm",
    tells="how far each class has collapsed to one direction, by its posteriors",
    range="-log sqrt(n K min(K, m)), m the largest class, to -log sqrt(n / K)",
    chance="the level of shuffled labels, inside the range; noise is not the worst",
    paper=PAPER,
    bibtex=BIBTEX,
    compute=ncti_log_class_nuclear_norm_from_statistics,
)
