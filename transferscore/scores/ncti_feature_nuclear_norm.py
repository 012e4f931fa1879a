"""NCTI's first term: how far apart the classes lie in discriminant directions."""

from __future__ import annotations

from numpy.typing import ArrayLike

from transferscore.scores.ncti import BIBTEX, N_COMPONENTS, PAPER, feature_nuclear_norm
from transferscore.scores.score import CLASSES_ONLY, ScoreInfo
from transferscore.scores.sfda import warn_in_sample
from transferscore.statistics import Statistics

__all__ = ["INFO", "ncti_feature_nuclear_norm", "ncti_feature_nuclear_norm_from_statistics"]


def ncti_feature_nuclear_norm(features: ArrayLike, labels: ArrayLike) -> float:
    r"""Tell how far apart the classes lie, in units of the spread within them.

    .. math:: \| Z - \bar Z \|_*,

    Z the discriminant projection of all samples, after principal components (at most 64) and linear
    discriminant analysis, shrunk by the exponential of minus the variance of the first 32. One of
    NCTI's three terms, as each model has it; the published sum scales each term over a pool of
    models first. Where samples are too few for an unshrunk covariance, a millionth of the mean
    variance is added.

    Args:
        features: `(n_samples, n_features)`.
        labels: `(n_samples,)` classes.

    Returns:
        Above 0, larger for classes farther apart, for more classes K and for more samples n. Pure
        noise stands near sqrt(n) (K - 1) when samples are many, higher when they are few, where
        a warning says so.

    Raises:
        InputError: Shapes do not match, a value is not finite, or one class only.

    References:
        Wang et al. (2023), How far pre-trained models are from neural collapse on the target
        dataset informs their transferability, ICCV.

    Examples:
        >>> round(ncti_feature_nuclear_norm([[1], [2], [0], [1.4], [3]], [0, 0, 1, 1, 0]), 6)
        2.898738
    """
    return ncti_feature_nuclear_norm_from_statistics(Statistics(features, labels))


def ncti_feature_nuclear_norm_from_statistics(statistics: Statistics) -> float:
    """Nuclear norm of the projection from shared statistics; see `ncti_feature_nuclear_norm`."""
    warn_in_sample("NCTI's nuclear norm", statistics, min(N_COMPONENTS, statistics.spectrum.rank))
    return feature_nuclear_norm(statistics)


INFO = ScoreInfo(
    name="ncti_feature_nuclear_norm",
    tells="how far apart the classes lie, in units of the spread within them",
    range="at least 0; grows with n and K",
    chance="about sqrt(n) min(K - 1, 64) for n far above 64, higher for fewer samples",
    paper=PAPER,
    bibtex=BIBTEX,
    compute=ncti_feature_nuclear_norm_from_statistics,
    on_moments=CLASSES_ONLY,
)
