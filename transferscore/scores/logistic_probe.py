"""Logistic probe: the accuracy that logistic regression on frozen features has on unseen rows."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from transferscore.errors import InputError
from transferscore.scores.score import ScoreInfo
from transferscore.statistics import Statistics
from transferscore.statistics.folds import stratified_folds
from transferscore.statistics.logistic import LogisticFit, fit_logistic, log_probabilities

__all__ = ["INFO", "logistic_probe", "logistic_probe_from_statistics"]

# In units of the features' total scatter, strongest first, so that each fit starts from the last.
_PENALTIES = np.logspace(-2.0, -6.0, 5)

# So many held-out rows tell penalties apart; further folds are fitted with the best one only.
_ROWS_TO_CHOOSE = 1000

_FEW_ROWS = 2000

# Below so many entries times classes fits are exact. Beyond, they stop early and are made in single
# precision: weights that the penalty hardly holds grow for long to no effect on unseen rows.
_SMALL = 1e6
_EXACT, _EARLY = 1e-5, 1e-3


def logistic_probe(
    features: ArrayLike,
    labels: ArrayLike,
    *,
    folds: ArrayLike | None = None,
    n_folds: int | None = None,
    seed: int = 0,
) -> float:
    """Tell the accuracy to expect of logistic regression, the probe that most people train.

    Held-out predictions of multinomial logistic regression with an L2 penalty, by k-fold cross
    validation. The penalty is the one of five, or of no features at all, with the least held-out
    log loss; with thousands of rows it is chosen on the first folds.

    Args:
        features: `(n_samples, n_features)`.
        labels: `(n_samples,)` classes.
        folds: `(n_samples,)` the fold in which each row is held out. Give folds where rows come in
            groups (frames of one film, slices of one patient).
        n_folds: Number of folds, where none are given; by default 10 up to 2000 rows, 5 beyond.
        seed: Of the folds, which do not depend on the order of the rows.

    Returns:
        Accuracy in [0, 1]; chance level is the share of the largest class.

    Raises:
        InputError: Shapes do not match, a value is not finite, one class or one fold only.

    References:
        Kornblith, Shlens & Le (2019), Do better ImageNet models transfer better?, CVPR.

    Examples:
        >>> x = [[1, 0], [2, 1], [0, 1], [1, 2], [3, 1], [0, 2]]
        >>> logistic_probe(x, [0, 0, 1, 1, 0, 1], n_folds=3)
        1.0
    """
    statistics = Statistics(features, labels)
    if folds is None:
        return logistic_probe_from_statistics(statistics, n_folds, seed)
    given = np.asarray(folds)
    if given.shape != (statistics.n_samples,):
        raise InputError(f"`folds` must have shape ({statistics.n_samples},); got {given.shape}.")
    return _accuracy(statistics, np.unique(given, return_inverse=True)[1])


def logistic_probe_from_statistics(
    statistics: Statistics, n_folds: int | None = None, seed: int = 0
) -> float:
    """Logistic probe from shared statistics; see `logistic_probe`."""
    if n_folds is None:
        # With few rows, those that a fold takes away are missed.
        n_folds = 10 if statistics.n_samples <= _FEW_ROWS else 5
    if n_folds < 2:
        raise InputError(f"`n_folds` must be at least 2; got {n_folds}.")
    n_folds = min(n_folds, statistics.n_samples)
    return _accuracy(statistics, stratified_folds(statistics, n_folds, seed))


def _accuracy(statistics: Statistics, folds: NDArray[np.int64]) -> float:
    parts = [np.flatnonzero(folds == fold) for fold in np.unique(folds)]
    if len(parts) < 2:
        raise InputError("`folds` must name at least two folds; all rows are in one.")
    left = _left(statistics)
    n_choosing = _n_choosing(parts)
    right, losses = np.zeros(len(_PENALTIES) + 1), np.zeros(len(_PENALTIES) + 1)
    for held in parts[:n_choosing]:
        hits, loss = _held_out(statistics, left, held, _PENALTIES)
        right, losses = right + hits, losses + loss
    best = int(losses.argmin())
    n_right = right[best]
    for held in parts[n_choosing:]:
        # Past the end of the path, the one candidate left is the one that reads no features.
        n_right += _held_out(statistics, left, held, _PENALTIES[best : best + 1])[0][0]
    return float(n_right / statistics.n_samples)


def _left(statistics: Statistics) -> NDArray[Any]:
    """Left singular vectors of all rows `(n, r)`; single precision where there is much to do."""
    n, spectrum = statistics.n_samples, statistics.spectrum
    left = spectrum.left_rows(statistics.features, statistics.mean, slice(0, n))
    large = left.size * statistics.targets.n_columns > _SMALL
    return left.astype(np.float32) if large else left


def _n_choosing(parts: list[NDArray[np.int64]]) -> int:
    """How many folds it takes to hold out enough rows for choosing a penalty."""
    held = np.cumsum([len(part) for part in parts])
    return min(int(np.searchsorted(held, _ROWS_TO_CHOOSE)) + 1, len(parts))


def _held_out(
    statistics: Statistics,
    left: NDArray[Any],
    held: NDArray[np.int64],
    path: NDArray[np.float64],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Right answers and log loss on one fold, for each penalty and for no features `(p + 1,)`."""
    codes, eigenvalues = statistics.targets.class_codes(), statistics.spectrum.eigenvalues
    fitted = np.delete(np.arange(len(codes)), held)
    rows, test = left[fitted], left[held]
    fit = constant = _without_features(codes[fitted], statistics)
    largest = int(statistics.targets.counts().argmax())
    tolerance = _EARLY if left.dtype == np.float32 else _EXACT
    fits = []
    for penalty in path:
        penalties = penalty * eigenvalues.sum() / eigenvalues
        fit = fit_logistic(rows, codes[fitted], penalties, fit, tolerance=tolerance)
        fits.append(fit)
    logs = [log_probabilities(test, fit) for fit in [*fits, constant]]
    answers = [log.argmax(axis=1) for log in logs[:-1]] + [np.full(len(held), largest)]
    right = np.array([np.sum(answer == codes[held]) for answer in answers], dtype=np.float64)
    own = np.array([-log[np.arange(len(held)), codes[held]].sum() for log in logs])
    return right, own


def _without_features(codes: NDArray[np.int64], statistics: Statistics) -> LogisticFit:
    """Class shares alone. A class not seen counts as half a row, or one row would cost infinity."""
    counts = np.bincount(codes, minlength=statistics.targets.n_columns)
    shares = np.maximum(counts, 0.5) / len(codes)
    weights = np.zeros((statistics.spectrum.rank, len(counts)))
    return LogisticFit(weights, np.log(shares))


INFO = ScoreInfo(
    name="logistic_probe",
    tells="the accuracy to expect of logistic regression on the frozen features, on unseen rows",
    range="0 to 1",
    chance="the share of the largest class",
    paper="Kornblith, Shlens & Le (2019), Do better ImageNet models transfer better?, CVPR",
    bibtex="""@inproceedings{kornblith2019better,
  title = {Do Better {ImageNet} Models Transfer Better?},
  author = {Kornblith, Simon and Shlens, Jonathon and Le, Quoc V.},
  booktitle = {IEEE/CVF Conference on Computer Vision and Pattern Recognition},
  year = {2019}
}""",
    compute=logistic_probe_from_statistics,
)
