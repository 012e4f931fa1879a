"""Held-out predictions of ridge regression in closed form, over a whole path of penalties.

The intercept is free and never penalised. Folds are either the samples themselves (leave-one-out,
from the shared spectrum) or given (the moments of the other folds, merged).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import reduce
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import LinAlgError, cho_factor, cho_solve

from transferscore.errors import InputError
from transferscore.statistics.moments import Moments, merge_moments, moments
from transferscore.statistics.rows import row_blocks
from transferscore.statistics.spectrum import Spectrum
from transferscore.statistics.targets import Targets

__all__ = ["Fitted", "HeldOut", "fold_outputs", "held_out_folds", "held_out_one", "penalty_path"]


_Rows: TypeAlias = slice | NDArray[np.int64]
_RowLoss: TypeAlias = Callable[[NDArray[np.float64], _Rows], NDArray[np.float64]]


@dataclass(frozen=True, slots=True)
class Fitted:
    """All rows that a ridge regression is fitted to, one of them left out at a time.

    Attributes:
        n_samples: n.
        mean: `(d,)` of the features.
        target_mean: `(m,)` of each target column.
        target_scatter: `(m,)` sum of squares of each target column about its mean.
        spectrum: Of the centred features, with the targets in its basis.
    """

    n_samples: int
    mean: NDArray[np.float64]
    target_mean: NDArray[np.float64]
    target_scatter: NDArray[np.float64]
    spectrum: Spectrum


@dataclass(frozen=True, slots=True)
class HeldOut:
    """How well ridge regression predicts rows that it was not fitted on.

    Attributes:
        penalties: `(p,)` ascending, against the sum of squared errors; infinite for the intercept
            alone, which reads no features.
        errors: `(p,)` held-out squared error, mean over rows and columns.
        losses: `(p, n)` per row. For classes 0 where the largest output is the row's class, else 1;
            for real-valued targets squared error in units of an output's variance, averaged over
            outputs. One minus the mean loss is accuracy, or R^2.
        best: Position of the penalty with the least error, or of the intercept alone where that
            loses less. Choosing by the loss itself would be choosing by luck: on 200 rows the best
            of a dozen accuracies stands half a point above what that penalty then reaches.
    """

    penalties: NDArray[np.float64]
    errors: NDArray[np.float64]
    losses: NDArray[np.float64]
    best: int

    @property
    def value(self) -> float:
        """Accuracy for classes, R^2 averaged over outputs otherwise, at the best penalty."""
        return float(1.0 - self.row_losses.mean())

    @property
    def row_losses(self) -> NDArray[np.float64]:
        """Losses `(n,)` at the best penalty."""
        row: NDArray[np.float64] = self.losses[self.best]
        return row


def penalty_path(spectrum: Spectrum, n_penalties: int = 13) -> NDArray[np.float64]:
    """Penalties `(n_penalties,)` from 1e-6 to 1 times the features' total scatter, ascending.

    In units of the features' own scatter, so that rescaling the features changes nothing.
    """
    total = float(spectrum.eigenvalues.sum()) or 1.0
    path: NDArray[np.float64] = total * np.logspace(-6.0, 0.0, n_penalties)
    return path


def held_out_one(features: NDArray[Any], targets: Targets, fitted: Fitted) -> HeldOut:
    """Exact leave-one-out predictions over the penalty path, and of the intercept alone.

    A row's leave-one-out residual is its residual over one minus its leverage, so all refits cost
    one pass over the left singular vectors.

    Args:
        features: `(s, d)` rows to predict: all that were fitted, or some of them.
        targets: Their targets, in the columns that were fitted.
        fitted: What is fitted.
    """
    spectrum, share = fitted.spectrum, 1.0 / fitted.n_samples
    penalties = np.append(penalty_path(spectrum), np.inf)
    s, p = len(targets), len(penalties)
    row_losses = _row_loss_of(targets, fitted.target_scatter * share)
    gains = spectrum.eigenvalues / (spectrum.eigenvalues + penalties[:, None])
    errors, losses = np.zeros(p), np.empty((p, s))
    for rows in row_blocks(s, spectrum.rank + targets.n_columns):
        left = spectrum.left_rows(features, fitted.mean, rows)
        # A leverage of one is a row that alone determines its own fit: nothing predicts it.
        leverage = np.minimum((left**2) @ gains.T + share, 1.0 - 1e-12)
        actual = targets.matrix(rows)
        for i, gain in enumerate(gains):
            residual = left @ (gain[:, None] * spectrum.targets)
            residual += fitted.target_mean - actual
            residual /= 1.0 - leverage[:, i, None]
            errors[i] += np.sum(residual**2)
            losses[i, rows] = row_losses(residual + actual, rows)
    if targets.codes is not None:
        # Leaving a row out makes its own class rarer, so class means alone would answer wrongly on
        # purpose. Without features the largest class is the answer, and its share the floor.
        losses[-1] = targets.codes != fitted.target_mean.argmax()
    return _held_out(penalties, errors / (s * targets.n_columns), losses)


def held_out_folds(
    features: NDArray[Any],
    targets: Targets,
    folds: NDArray[np.int64],
    penalties: NDArray[np.float64],
    *,
    intercept: bool = True,
) -> HeldOut:
    """Predictions of each fold by a ridge fitted on all the others.

    Args:
        features: `(n, d)`, checked.
        targets: The n rows' targets.
        folds: `(n,)` fold of each row; every row is held out once.
        penalties: `(p,)`, positive.
        intercept: Whether an unpenalised intercept is fitted.

    Raises:
        InputError: Fewer than two folds, or not one fold a row.
    """
    n, p = len(features), len(penalties)
    variance = np.mean((targets.matrix() - targets.mean()) ** 2, axis=0)
    row_losses = _row_loss_of(targets, variance)
    errors, losses = np.zeros(p), np.empty((p, n))
    for held, predicted in fold_outputs(features, targets, folds, penalties, intercept=intercept):
        actual = targets.matrix(held)
        for i, outputs in enumerate(predicted):
            errors[i] += np.sum((outputs - actual) ** 2)
            losses[i, held] = row_losses(outputs, held)
    return _held_out(penalties, errors / (n * targets.n_columns), losses)


def fold_outputs(
    features: NDArray[Any],
    targets: Targets,
    folds: NDArray[np.int64],
    penalties: NDArray[np.float64],
    *,
    intercept: bool = True,
) -> Iterator[tuple[NDArray[np.int64], NDArray[np.float64]]]:
    """The rows of each fold, and what a ridge fitted on all others answers for them `(p, k, m)`.

    Arguments and errors are those of `held_out_folds`.
    """
    parts = _fold_rows(folds, len(features))
    n, d = features.shape
    if n < d:
        for i, held in enumerate(parts):
            fitted = np.concatenate(parts[:i] + parts[i + 1 :])
            rows = features[fitted].astype(np.float64)
            outputs = _gram_side(rows, targets.matrix(fitted), features[held], penalties, intercept)
            yield held, outputs
        return
    by_fold = [moments(features[rows], targets.take(rows)) for rows in parts]
    for i, held in enumerate(parts):
        fitted_moments = reduce(merge_moments, by_fold[:i] + by_fold[i + 1 :])
        yield held, _feature_side(fitted_moments, features[held], penalties, intercept)


def _fold_rows(folds: NDArray[np.int64], n_samples: int) -> list[NDArray[np.int64]]:
    folds = np.asarray(folds)
    if folds.shape != (n_samples,):
        raise InputError(f"`folds` must have shape ({n_samples},); got {folds.shape}.")
    parts = [np.flatnonzero(folds == fold) for fold in np.unique(folds)]
    if len(parts) < 2:
        raise InputError("`folds` must name at least two folds; all rows are in one.")
    return parts


def _feature_side(
    fitted: Moments, test: NDArray[Any], penalties: NDArray[np.float64], intercept: bool
) -> NDArray[np.float64]:
    scatter, cross = fitted.scatter, fitted.cross
    offset, base = fitted.mean, fitted.target_mean
    if not intercept:
        scatter = scatter + fitted.count * np.outer(offset, offset)
        cross = cross + fitted.count * np.outer(offset, base)
        offset, base = np.zeros_like(offset), np.zeros_like(base)
    rows = test - offset
    return np.stack([rows @ _solve_penalised(scatter, cross, t) + base for t in penalties])


def _gram_side(
    fitted: NDArray[np.float64],
    columns: NDArray[np.float64],
    test: NDArray[Any],
    penalties: NDArray[np.float64],
    intercept: bool,
) -> NDArray[np.float64]:
    offset = fitted.mean(axis=0) if intercept else np.zeros(fitted.shape[1])
    base = columns.mean(axis=0) if intercept else np.zeros(columns.shape[1])
    rows = fitted - offset
    gram, across = rows @ rows.T, (test - offset) @ rows.T
    return np.stack([across @ _solve_penalised(gram, columns - base, t) + base for t in penalties])


def _solve_penalised(
    matrix: NDArray[np.float64], right: NDArray[np.float64], penalty: float
) -> NDArray[np.float64]:
    penalised = matrix.copy()
    penalised.flat[:: len(matrix) + 1] += penalty
    try:
        factor = cho_factor(penalised, lower=True, overwrite_a=True, check_finite=False)
    except LinAlgError:
        raise InputError(
            f"The penalty {penalty:g} is too small beside features of scatter "
            f"{np.trace(matrix):.3g}: the ridge solution is lost in rounding. Use a larger one."
        ) from None
    solution: NDArray[np.float64] = cho_solve(factor, right, check_finite=False)
    return solution


def _row_loss_of(targets: Targets, variance: NDArray[np.float64]) -> _RowLoss:
    """The loss of the rows of a block, given their outputs; `variance` `(m,)` of the columns."""
    if (codes := targets.codes) is not None:
        return lambda outputs, rows: (outputs.argmax(axis=1) != codes[rows]).astype(np.float64)
    weights = np.divide(1.0, variance, out=np.zeros_like(variance), where=variance > 0.0)
    weights /= max(1, np.count_nonzero(weights))
    return lambda outputs, rows: (outputs - targets.matrix(rows)) ** 2 @ weights


def _held_out(
    penalties: NDArray[np.float64], errors: NDArray[np.float64], losses: NDArray[np.float64]
) -> HeldOut:
    best = int(errors.argmin())
    if penalties[-1] == np.inf and losses[best].mean() > losses[-1].mean():
        best = len(penalties) - 1
    return HeldOut(penalties, errors, losses, best)
