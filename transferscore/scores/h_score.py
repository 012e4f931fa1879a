"""H-score: how much of the feature variance, made white, lies between the classes."""

from __future__ import annotations

import warnings

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.linalg import eigh

from transferscore.scores.score import ALL_TASKS, ScoreInfo
from transferscore.statistics import Statistics

__all__ = ["INFO", "between_class_coordinates", "h_score", "h_score_from_statistics"]


def h_score(features: ArrayLike, labels: ArrayLike, *, task: str = "classification") -> float:
    r"""Tell how many independent directions of the labels the features express linearly.

    .. math:: \mathrm{tr}(\mathrm{cov}(F)^{+} \, \mathrm{cov}(E[F \mid y])),

    the sum of squared canonical correlations of features and target columns.

    Args:
        features: `(n_samples, n_features)`.
        labels: `(n_samples,)` classes, or numbers `(n_samples,)` or `(n_samples, m)`.
        task: "classification", "multilabel" or "regression".

    Returns:
        Between 0 and min(K - 1, rank). Pure noise stands at (K - 1) r / (n - 1), r the rank of the
        centred features: with n <= d every feature set has the full K - 1, and a warning says so;
        `adjusted_h_score` takes the chance part off.

    Raises:
        InputError: Shapes do not match, a value is not finite, or one class only.

    References:
        Bao et al. (2019), An information-theoretic approach to transferability in task transfer
        learning, ICIP.

    Examples:
        >>> round(h_score([[1, 0], [2, 1], [0, 1], [1, 2], [3, 1]], [0, 0, 1, 1, 0]), 6)
        0.935897
    """
    return h_score_from_statistics(Statistics(features, labels, task=task))


def h_score_from_statistics(statistics: Statistics) -> float:
    """H-score from shared statistics; see `h_score`."""
    if statistics.spectrum.rank == statistics.n_samples - 1:
        warnings.warn(
            f"H-score is at its maximum whatever the labels: the {statistics.n_samples} samples "
            f"are no more than the features span. Use adjusted_h_score.",
            RuntimeWarning,
            stacklevel=3,
        )
    return float(np.sum(between_class_coordinates(statistics) ** 2))


def between_class_coordinates(statistics: Statistics) -> NDArray[np.float64]:
    """`(r, q)` whitened features against orthonormal target columns: their canonical products."""
    coordinates = statistics.spectrum.targets
    if statistics.is_classes:
        by_class: NDArray[np.float64] = coordinates / np.sqrt(statistics.class_counts)
        return by_class
    # In units of its own spread, so that no column is lost beside one of larger numbers.
    spread = np.sqrt(statistics.target_scatter)
    varying = spread > 0.0
    products = statistics.target_products[np.ix_(varying, varying)]
    values, vectors = eigh(products / np.outer(spread[varying], spread[varying]))
    kept = values > values[-1] * statistics.n_samples * np.finfo(np.float64).eps
    scaled = coordinates[:, varying] / spread[varying]
    whitened: NDArray[np.float64] = scaled @ (vectors[:, kept] / np.sqrt(values[kept]))
    return whitened


INFO = ScoreInfo(
    name="h_score",
    tells="how many independent directions of the labels the features express linearly",
    range="0 to K - 1",
    chance="(K - 1) r / (n - 1), r the rank of the features: its maximum when n <= d",
    paper="Bao et al. (2019), An information-theoretic approach to transferability in task "
    "transfer learning, ICIP",
    bibtex="""@inproceedings{bao2019hscore,
  title = {An Information-Theoretic Approach to Transferability in Task Transfer Learning},
  author = {Bao, Yajie and Li, Yang and Huang, Shao-Lun and Zhang, Lin and Zheng, Lizhong and
            Zamir, Amir and Guibas, Leonidas},
  booktitle = {IEEE International Conference on Image Processing},
  year = {2019}
}""",
    compute=h_score_from_statistics,
    tasks=ALL_TASKS,
    on_moments=ALL_TASKS,
)
