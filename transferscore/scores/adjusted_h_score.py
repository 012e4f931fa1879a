"""H-score with its chance level taken off: 0 for noise in every regime, 1 at best."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from transferscore.scores.h_score import between_class_coordinates
from transferscore.scores.score import ALL_TASKS, ScoreInfo
from transferscore.scores.shrinkage_h_score import shrunk_gains
from transferscore.statistics import Statistics

__all__ = ["INFO", "adjusted_h_score", "adjusted_h_score_from_statistics"]


def adjusted_h_score(
    features: ArrayLike, labels: ArrayLike, *, task: str = "classification"
) -> float:
    r"""Tell how far the features express the labels beyond what shuffled labels would show.

    .. math:: \frac{H_a - E[H_a]}{H_{\max} - E[H_a]},

    where H_a is the shrinkage H-score, its expectation is over all permutations of the labels (in
    closed form, exact) and H_max the largest value that any labels with as many classes can reach.

    Args:
        features: `(n_samples, n_features)`.
        labels: `(n_samples,)` classes, or numbers `(n_samples,)` or `(n_samples, m)`.
        task: "classification", "multilabel" or "regression".

    Returns:
        At most 1; 0 is chance, for every n and d; slightly negative values are noise.

    Raises:
        InputError: Shapes do not match, a value is not finite, or one class only.

    References:
        The score of Ibrahim et al. (2022), ECML PKDD, corrected for chance as Hubert & Arabie
        (1985), Comparing partitions, J. Classification 2, correct the Rand index.

    Examples:
        >>> x = [[4, 0], [5, 1], [0, 1], [1, 2], [6, 1]]
        >>> round(adjusted_h_score(x, [0, 0, 1, 1, 0]), 6)
        0.915396
    """
    return adjusted_h_score_from_statistics(Statistics(features, labels, task=task))


def adjusted_h_score_from_statistics(statistics: Statistics) -> float:
    """Chance-adjusted H-score from shared statistics; see `adjusted_h_score`."""
    gains = shrunk_gains(statistics)
    products = between_class_coordinates(statistics) ** 2
    n_columns = _n_independent_columns(statistics)
    value = float(gains @ products.sum(axis=1))
    # Over permutations every centred direction is equally likely, so each of the q orthonormal
    # target columns keeps 1 / (n - 1) of its square in each of the r directions.
    chance = n_columns * float(gains.sum()) / (statistics.n_samples - 1)
    largest = float(np.sort(gains)[::-1][:n_columns].sum())
    return (value - chance) / (largest - chance) if largest > chance * (1 + 1e-9) else 0.0


def _n_independent_columns(statistics: Statistics) -> int:
    """Number of orthonormal target columns: K - 1 for classes, their rank otherwise."""
    if statistics.is_classes:
        return statistics.n_columns - 1
    return int(between_class_coordinates(statistics).shape[1])


INFO = ScoreInfo(
    name="adjusted_h_score",
    tells="how far the features express the labels beyond what shuffled labels would show",
    range="at most 1",
    chance="0 for every n and d",
    paper="Ibrahim et al. (2022), ECML PKDD, corrected for chance as in Hubert & Arabie (1985), "
    "Comparing partitions, Journal of Classification 2",
    bibtex="""@article{hubert1985comparing,
  title = {Comparing Partitions},
  author = {Hubert, Lawrence and Arabie, Phipps},
  journal = {Journal of Classification},
  volume = {2},
  pages = {193--218},
  year = {1985}
}""",
    compute=adjusted_h_score_from_statistics,
    tasks=ALL_TASKS,
    on_moments=ALL_TASKS,
)
