"""NCTI's third term, negated: how alike the posteriors of a class are."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from transferscore.errors import InputError
from transferscore.scores.ncti import BIBTEX, N_COMPONENTS, PAPER, class_nuclear_norms
from transferscore.scores.score import ScoreInfo
from transferscore.scores.sfda import warn_in_sample
from transferscore.statistics import Statistics

__all__ = ["INFO", "ncti_log_class_nuclear_norm", "ncti_log_class_nuclear_norm_from_statistics"]


def ncti_log_class_nuclear_norm(
    features: ArrayLike, labels: ArrayLike, *, n_shuffles: int = 0, seed: int = 0
) -> float:
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
        n_shuffles: How many times to shuffle the labels, and take off the mean of the values that
            they then have.
        seed: Of the shuffles.

    Returns:
        Between -log(sqrt(n K min(K, m))), m the largest class, and -log(sqrt(n / K)). Posteriors
        that are all alike stand as high as posteriors that are all right: read it beside
        `ncti_mean_posterior`. Pure noise stands between, where shuffled labels do: at 0 once their
        mean is taken off, for every n and d.

    Raises:
        InputError: Shapes do not match, a value is not finite, one class only, or `n_shuffles` is
            negative.

    References:
        Wang et al. (2023), How far pre-trained models are from neural collapse on the target
        dataset informs their transferability, ICCV.

    Examples:
        >>> round(ncti_log_class_nuclear_norm([[1], [2], [0], [1.4], [3]], [0, 0, 1, 1, 0]), 6)
        -1.255268
    """
    return ncti_log_class_nuclear_norm_from_statistics(
        Statistics(features, labels), n_shuffles=n_shuffles, seed=seed
    )


def ncti_log_class_nuclear_norm_from_statistics(
    statistics: Statistics, *, n_shuffles: int = 0, seed: int = 0
) -> float:
    """From shared statistics; see `ncti_log_class_nuclear_norm`."""
    if n_shuffles < 0:
        raise InputError(f"`n_shuffles` must not be negative; got {n_shuffles}.")
    own = -float(np.log(class_nuclear_norms(statistics).sum()))
    if n_shuffles > 0:
        return own - _mean_of_shuffles(statistics, n_shuffles, seed)
    warn_in_sample("NCTI's class norm", statistics, min(N_COMPONENTS, statistics.spectrum.rank))
    return own


def _mean_of_shuffles(statistics: Statistics, n_shuffles: int, seed: int) -> float:
    rng, codes = np.random.default_rng(seed), statistics.targets.class_codes()
    shuffled = [class_nuclear_norms(statistics, rng.permutation(codes)) for _ in range(n_shuffles)]
    return -float(np.mean([np.log(norms.sum()) for norms in shuffled]))


INFO = ScoreInfo(
    name="ncti_log_class_nuclear_norm",
    tells="how far each class has collapsed to one direction, by its posteriors",
    range="-log sqrt(n K min(K, m)), m the largest class, to -log sqrt(n / K)",
    chance="the level of shuffled labels, inside the range, noise not being the worst; 0 with "
    "n_shuffles > 0",
    paper=PAPER,
    bibtex=BIBTEX,
    compute=ncti_log_class_nuclear_norm_from_statistics,
)
