"""What ridge regression answers for rows that it was not fitted on: the outputs themselves."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from transferscore.errors import InputError
from transferscore.statistics.ridge import (
    Fitted,
    HeldOut,
    fold_outputs,
    held_out_folds,
    penalty_path,
)
from transferscore.statistics.rows import row_blocks
from transferscore.statistics.statistics import Statistics
from transferscore.statistics.targets import Targets

__all__ = ["group_folds", "held_out_groups", "one_out_outputs"]

_FOLDS = 10


def one_out_outputs(statistics: Statistics) -> NDArray[np.float64]:
    """Leave-one-out outputs `(n, m)` at the best finite penalty of `statistics.held_out`.

    Each is what the features add to the mean of all rows, not of all others: that would put every
    row that has a label below those that lack it, by a hair that a ranking of rows turns into all.
    """
    held_out, mean = statistics.held_out, statistics.target_mean
    finite = np.isfinite(held_out.penalties)
    penalty = float(held_out.penalties[np.where(finite, held_out.errors, np.inf).argmin()])
    outputs = _one_out(statistics.features, statistics.targets, statistics.fitted, penalty)
    others = (mean * statistics.n_samples - statistics.targets.matrix()) / (
        statistics.n_samples - 1
    )
    adjusted: NDArray[np.float64] = outputs - others + mean
    return adjusted


def held_out_groups(
    statistics: Statistics, groups: NDArray[np.int64], seed: int = 0
) -> tuple[HeldOut, NDArray[np.float64]]:
    """Predictions of rows from rows of other groups only, and their outputs `(n, m)`.

    Args:
        statistics: Of n rows.
        groups: `(n,)` which rows belong together.
        seed: Of the division of groups among ten folds.

    Raises:
        InputError: All rows are of one group.
    """
    folds = group_folds(groups, seed)
    features, targets = statistics.features, statistics.targets
    penalties = penalty_path(statistics.spectrum)
    held_out = held_out_folds(features, targets, folds, penalties)
    best = penalties[held_out.best : held_out.best + 1]
    outputs = np.empty((len(features), targets.n_columns))
    for rows, predicted in fold_outputs(features, targets, folds, best):
        outputs[rows] = predicted[0]
    return held_out, outputs


def group_folds(groups: NDArray[np.int64], seed: int = 0) -> NDArray[np.int64]:
    """A fold for each row `(n,)`, the same for all rows of a group; about equally many groups each.

    Raises:
        InputError: All rows are of one group.
    """
    _, numbers = np.unique(groups, return_inverse=True)
    n_groups = int(numbers.max()) + 1
    if n_groups < 2:
        raise InputError(
            "Rows must be of at least two groups, so that one can be predicted from the others; "
            f"all {len(numbers)} are of one."
        )
    dealt = np.random.default_rng(seed).permutation(n_groups) % min(_FOLDS, n_groups)
    folds: NDArray[np.int64] = dealt[numbers]
    return folds


def _one_out(
    features: NDArray[Any], targets: Targets, fitted: Fitted, penalty: float
) -> NDArray[np.float64]:
    spectrum = fitted.spectrum
    gain = spectrum.eigenvalues / (spectrum.eigenvalues + penalty)
    outputs = np.empty((len(targets), targets.n_columns))
    for rows in row_blocks(len(targets), spectrum.rank + targets.n_columns):
        left = spectrum.left_rows(features, fitted.mean, rows)
        leverage = np.minimum((left**2) @ gain + 1.0 / fitted.n_samples, 1.0 - 1e-12)
        actual = targets.matrix(rows)
        residual = left @ (gain[:, None] * spectrum.targets) + fitted.target_mean - actual
        outputs[rows] = actual + residual / (1.0 - leverage[:, None])
    return outputs
