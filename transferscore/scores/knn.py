"""k-NN: the accuracy of a vote among each sample's nearest other samples."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from transferscore.errors import InputError
from transferscore.scores.score import ALL_TASKS, ScoreInfo
from transferscore.statistics import Statistics
from transferscore.statistics.neighbors import nearest_others

__all__ = ["INFO", "knn", "knn_from_statistics"]


def knn(
    features: ArrayLike, labels: ArrayLike, *, k: int = 5, task: str = "classification"
) -> float:
    """Tell whether samples that the model finds alike share their label; assumes nothing linear.

    Leave-one-out: each sample is predicted from its k nearest others by Euclidean distance, the
    smallest label winning a tied vote; regression targets are averaged.

    Args:
        features: `(n_samples, n_features)`.
        labels: `(n_samples,)` classes, or numbers `(n_samples,)` or `(n_samples, m)`.
        k: Number of neighbours; n - 1 where there are fewer.
        task: "classification", "multilabel" or "regression".

    Returns:
        Accuracy in [0, 1] for classes, chance level 1/K for equal classes, a few points less where
        classes are small, since a row lacks itself among its own; R^2, at most 1 with chance level
        about -1/k, averaged over outputs otherwise.

    Raises:
        InputError: Shapes do not match, a value is not finite, or one class only.

    References:
        Cover & Hart (1967), Nearest neighbor pattern classification, IEEE Trans. Information
        Theory 13; as a transferability score: Renggli et al. (2022), Which model to transfer?
        Finding the needle in the growing haystack, CVPR.

    Examples:
        >>> knn([[1, 0], [2, 1], [0, 1], [1, 2], [3, 1]], [0, 0, 1, 1, 0], k=1)
        0.6
    """
    return knn_from_statistics(Statistics(features, labels, task=task), k=k)


def knn_from_statistics(statistics: Statistics, k: int = 5) -> float:
    """k-NN score from shared statistics; see `knn`."""
    if k < 1:
        raise InputError(f"`k` must be at least 1; got {k}.")
    nearest = nearest_others(statistics.features, min(k, statistics.n_samples - 1))
    if statistics.targets.codes is not None:
        votes = _votes(statistics.targets.codes[nearest], statistics.targets.n_columns)
        return float(np.mean(votes == statistics.targets.codes))
    actual = statistics.targets.matrix()
    errors = np.sum((actual[nearest].mean(axis=1) - actual) ** 2, axis=0)
    scatter = statistics.target_scatter
    varying = scatter > 0.0
    return float(np.mean(1.0 - errors[varying] / scatter[varying])) if varying.any() else 0.0


def _votes(neighbor_codes: NDArray[np.int64], n_classes: int) -> NDArray[np.int64]:
    """Most frequent code of each row, the smallest among equals."""
    n = len(neighbor_codes)
    counts = np.zeros((n, n_classes), dtype=np.int32)
    np.add.at(counts, (np.arange(n)[:, None], neighbor_codes), 1)
    winners: NDArray[np.int64] = counts.argmax(axis=1)
    return winners


INFO = ScoreInfo(
    name="knn",
    tells="whether samples that the model finds alike share their label (5 neighbours)",
    range="0 to 1 for classes (accuracy), at most 1 otherwise (R^2)",
    chance="1/K for equal classes, less when they are small; about -1/k for R^2",
    paper="Renggli et al. (2022), Which model to transfer? Finding the needle in the growing "
    "haystack, CVPR",
    bibtex="""@inproceedings{renggli2022which,
  title = {Which Model to Transfer? Finding the Needle in the Growing Haystack},
  author = {Renggli, Cedric and Pinto, Andr{\'e} Susano and Rimanic, Luka and Puigcerver, Joan and
            Riquelme, Carlos and Zhang, Ce and Lu{\v{c}}i{\'c}, Mario},
  booktitle = {IEEE/CVF Conference on Computer Vision and Pattern Recognition},
  year = {2022}
}""",
    compute=knn_from_statistics,
    tasks=ALL_TASKS,
)
