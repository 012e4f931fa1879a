"""Ridge probe: the accuracy that a linear classifier on frozen features reaches on unseen rows."""

from __future__ import annotations

import warnings

import numpy as np
from numpy.typing import ArrayLike, NDArray

from transferscore.errors import InputError
from transferscore.scores.score import ALL_TASKS, ScoreInfo
from transferscore.statistics import Statistics, held_out_folds
from transferscore.statistics.ridge import penalty_path

__all__ = ["INFO", "ridge_probe", "ridge_probe_from_statistics"]


def ridge_probe(
    features: ArrayLike,
    labels: ArrayLike,
    *,
    folds: ArrayLike | None = None,
    penalties: ArrayLike | None = None,
    intercept: bool = True,
    task: str = "classification",
) -> float:
    """Tell the accuracy to expect of a linear probe, in the units that users think in.

    Held-out predictions of ridge regression onto 0/1 class columns, the largest output winning, at
    the best of a path of penalties. Without `folds` each row is predicted from all others, exactly
    and in closed form; with folds, each fold from the others.

    Args:
        features: `(n_samples, n_features)`.
        labels: `(n_samples,)` classes, or numbers `(n_samples,)` or `(n_samples, m)`.
        folds: `(n_samples,)` the fold in which each row is held out; none: leave-one-out. Give
            folds where rows come in groups (frames of one film, slices of one patient).
        penalties: Multipliers of the squared weights against the sum of squared errors, with
            `folds`; by default 13 from 1e-6 to 1 times the features' total scatter.
        intercept: Whether an unpenalised intercept is fitted, with `folds`.
        task: "classification", "multilabel" or "regression".

    Returns:
        Accuracy in [0, 1] for classes, chance level the share of the largest class, below which the
        leave-one-out value never falls; R^2 otherwise, averaged over outputs, at most 1, chance
        level 0.

    Raises:
        InputError: Shapes do not match, a value is not finite, one class or one fold only.

    References:
        Stone (1974), Cross-validatory choice and assessment of statistical predictions, JRSS B 36;
        Golub, Heath & Wahba (1979), Generalized cross-validation, Technometrics 21.

    Examples:
        >>> ridge_probe([[1, 0], [2, 1], [0, 1], [1, 2], [3, 1]], [0, 0, 1, 1, 0])
        1.0
    """
    statistics = Statistics(features, labels, task=task)
    if folds is None:
        return ridge_probe_from_statistics(statistics)
    path = _penalties(penalties, statistics)
    rows = np.asarray(folds)
    held = held_out_folds(statistics.features, statistics.targets, rows, path, intercept=intercept)
    return held.value


def ridge_probe_from_statistics(statistics: Statistics) -> float:
    """Leave-one-out ridge probe from shared statistics; see `ridge_probe`.

    Of merged statistics: of the rows that they hold, each predicted from all others there were.
    """
    held_out = statistics.held_out
    if not statistics.has_rows:
        warnings.warn(
            f"ridge_probe is fitted to all {statistics.n_samples} rows and measured on a sample of "
            f"{len(held_out.row_losses)} of them, the others not being at hand.",
            RuntimeWarning,
            stacklevel=3,
        )
    return held_out.value


def _penalties(penalties: ArrayLike | None, statistics: Statistics) -> NDArray[np.float64]:
    if penalties is None:
        return penalty_path(statistics.spectrum)
    path = np.atleast_1d(np.asarray(penalties, dtype=np.float64))
    if path.ndim != 1 or not (path > 0.0).all():
        raise InputError(f"`penalties` must be positive numbers; got {penalties!r}.")
    return path


INFO = ScoreInfo(
    name="ridge_probe",
    tells="the accuracy to expect of a linear classifier on the frozen features (leave-one-out)",
    range="0 to 1 for classes (accuracy), at most 1 otherwise (R^2)",
    chance="the share of the largest class; 0 for R^2",
    paper="Golub, Heath & Wahba (1979), Generalized cross-validation as a method for choosing a "
    "good ridge parameter, Technometrics 21",
    bibtex="""@article{golub1979gcv,
  title = {Generalized Cross-Validation as a Method for Choosing a Good Ridge Parameter},
  author = {Golub, Gene H. and Heath, Michael and Wahba, Grace},
  journal = {Technometrics},
  volume = {21},
  number = {2},
  pages = {215--223},
  year = {1979}
}""",
    compute=ridge_probe_from_statistics,
    tasks=ALL_TASKS,
    on_moments=ALL_TASKS,
)
