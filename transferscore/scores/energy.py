"""Energy: how strongly the model responds to the samples that it responds to least. No labels."""

from __future__ import annotations

import warnings

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import logsumexp

from transferscore.errors import InputError
from transferscore.scores.score import ALL_TASKS, ScoreInfo
from transferscore.statistics import Statistics
from transferscore.statistics.rows import row_blocks

__all__ = ["INFO", "energy", "energy_from_statistics"]

# What rounding in float32 leaves of the logarithm of a sum of probabilities.
_LOG_OF_ONE = 1e-4


def energy(
    features: ArrayLike,
    labels: ArrayLike,
    *,
    source_logits: ArrayLike | None = None,
    share: float = 0.005,
    task: str = "classification",
) -> float:
    r"""Tell how familiar the least familiar samples are to the model, without reading labels.

    .. math:: \mathrm{mean} \, \log \sum_z \exp l_{iz}

    over the `share` of samples i where it is lowest, l the logits of the model's own classifier as
    the paper says, or, where none are given, the features as its published code has it. It is minus
    the free energy: low where a sample lies far from what the model has seen. Probabilities will
    not do in place of logits: their sum is 1 for every sample.

    Args:
        features: `(n_samples, n_features)`.
        labels: `(n_samples,)` classes, or numbers `(n_samples,)` or `(n_samples, m)`. Checked as
            for every score, but not read.
        source_logits: `(n_samples, n_source_classes)`.
        share: Of the samples, rounded down, but at least one sample; 1 for the mean over all.
        task: "classification", "multilabel" or "regression".

    Returns:
        Unbounded, in units of the logits; without a chance level, since labels play no part.
        Compare values of models with classifiers of one kind only: a rescaling of the features
        changes it.

    Raises:
        InputError: Shapes do not match, a value is not finite, one class only, or a `share` that is
            not above 0 and at most 1.

    References:
        Gholami et al. (2023), ETran: Energy-based transferability estimation, ICCV.

    Examples:
        >>> round(energy([[1, 0], [2, 1], [0, 1], [1, 2], [3, 1]], [0, 0, 1, 1, 0]), 6)
        1.313262
    """
    statistics = Statistics(features, labels, task=task, source_logits=source_logits)
    return energy_from_statistics(statistics, share)


def energy_from_statistics(statistics: Statistics, share: float = 0.005) -> float:
    """Energy from shared statistics; see `energy`."""
    if not 0.0 < share <= 1.0:
        raise InputError(f"`share` must be above 0 and at most 1; got {share}.")
    logits = statistics.source_logits
    from_classifier = logits is not None
    logits = statistics.features if logits is None else logits
    n_lowest = max(1, int(np.floor(share * len(logits))))
    values = np.empty(len(logits))
    for rows in row_blocks(*logits.shape):
        block: NDArray[np.float64] = logits[rows].astype(np.float64)
        values[rows] = logsumexp(block, axis=1)
    if from_classifier and np.abs(values).max() < _LOG_OF_ONE:
        warnings.warn(
            "Energy is 0 for every sample: the logits are logarithms of probabilities, which sum "
            "to one and hold no energy.",
            RuntimeWarning,
            stacklevel=3,
        )
    return float(np.mean(np.sort(values)[:n_lowest]))


INFO = ScoreInfo(
    name="energy",
    tells="how familiar the least familiar samples are to the model; reads no labels",
    range="unbounded",
    chance="none: labels play no part, so noise may stand anywhere",
    paper="Gholami et al. (2023), ETran: Energy-based transferability estimation, ICCV",
    bibtex="""@inproceedings{gholami2023etran,
  title = {{ETran}: Energy-Based Transferability Estimation},
  author = {Gholami, Mohsen and Akbari, Mohammad and Wang, Xinglu and Kamranian, Behnam and
            Zhang, Yong},
  booktitle = {IEEE/CVF International Conference on Computer Vision},
  year = {2023}
}""",
    compute=energy_from_statistics,
    tasks=ALL_TASKS,
)
