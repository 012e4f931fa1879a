"""H-score with a shrunk covariance, finite and discriminating with few samples."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from transferscore.scores.h_score import between_class_coordinates
from transferscore.scores.score import ALL_TASKS, ScoreInfo
from transferscore.statistics import Statistics
from transferscore.statistics.shrinkage import ledoit_wolf_shrinkage

__all__ = ["INFO", "shrinkage_h_score", "shrinkage_h_score_from_statistics", "shrunk_gains"]


def shrinkage_h_score(
    features: ArrayLike, labels: ArrayLike, *, task: str = "classification"
) -> float:
    r"""Tell what H-score tells, with the covariance estimated stably from few samples.

    .. math:: \mathrm{tr}(\Sigma_a^{-1} (1 - a) \, \mathrm{cov}(E[F \mid y])),
              \quad \Sigma_a = (1 - a) \Sigma + a \tfrac{\mathrm{tr} \Sigma}{d} I,

    with the Ledoit-Wolf shrinkage a, divisor n in the covariance and n - 1 between classes.

    Args:
        features: `(n_samples, n_features)`.
        labels: `(n_samples,)` classes, or numbers `(n_samples,)` or `(n_samples, m)`.
        task: "classification", "multilabel" or "regression".

    Returns:
        Between 0 and about K - 1. Pure noise stands above 0, by an amount that depends on n and d;
        `adjusted_h_score` takes it off.

    Raises:
        InputError: Shapes do not match, a value is not finite, or one class only.

    References:
        Ibrahim et al. (2022), Newer is not always better: Rethinking transferability metrics, their
        peculiarities, stability and performance, ECML PKDD.

    Examples:
        >>> x = [[4, 0], [5, 1], [0, 1], [1, 2], [6, 1]]
        >>> round(shrinkage_h_score(x, [0, 0, 1, 1, 0]), 6)
        1.040816
    """
    return shrinkage_h_score_from_statistics(Statistics(features, labels, task=task))


def shrinkage_h_score_from_statistics(statistics: Statistics) -> float:
    """Shrinkage H-score from shared statistics; see `shrinkage_h_score`."""
    products = between_class_coordinates(statistics) ** 2
    n = statistics.n_samples
    return float(shrunk_gains(statistics) @ products.sum(axis=1) * n / (n - 1))


def shrunk_gains(statistics: Statistics) -> NDArray[np.float64]:
    """What each principal direction keeps of its variance under shrinkage `(r,)`, in [0, 1]."""
    values, n = statistics.spectrum.eigenvalues, statistics.n_samples
    d = statistics.n_features
    a = ledoit_wolf_shrinkage(values, statistics.norm_fourth, n, d)
    own = (1.0 - a) * values / n
    gains: NDArray[np.float64] = own / (own + a * values.sum() / (n * d))
    return gains


INFO = ScoreInfo(
    name="shrinkage_h_score",
    tells="what H-score tells, with a covariance that few samples can estimate",
    range="0 to about K - 1",
    chance="above 0, by an amount that grows with d / n; see adjusted_h_score",
    paper="Ibrahim et al. (2022), Newer is not always better: Rethinking transferability "
    "metrics, their peculiarities, stability and performance, ECML PKDD",
    bibtex="""@inproceedings{ibrahim2022newer,
  title = {Newer is Not Always Better: Rethinking Transferability Metrics, Their Peculiarities,
           Stability and Performance},
  author = {Ibrahim, Shibal and Ponomareva, Natalia and Mazumder, Rahul},
  booktitle = {European Conference on Machine Learning and Principles and Practice of Knowledge
               Discovery in Databases},
  year = {2022}
}""",
    compute=shrinkage_h_score_from_statistics,
    tasks=ALL_TASKS,
    on_moments=ALL_TASKS,
)
