"""A logistic domain classifier, judged on rows that it was not fitted to."""

from __future__ import annotations

import warnings

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import rankdata

from transferscore.errors import InputError

__all__ = ["area_under_curve", "checked_folds", "held_out_margins", "seeded_folds"]

_N_FOLDS = 5


def held_out_margins(
    source: NDArray[np.float64], target: NDArray[np.float64], folds: NDArray[np.int64]
) -> NDArray[np.float64]:
    """How sure a classifier fitted to the other folds is that a row comes from the target.

    Logistic regression (C = 1, free intercept) on features standardised by the pooled mean and
    spread.

    Args:
        source: `(n, d)`.
        target: `(m, d)`.
        folds: `(n + m,)` ids, source rows first.

    Returns:
        `(n + m,)` decision values, positive for the target.
    """
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import LogisticRegression

    rows = np.concatenate([source, target])
    rows -= rows.mean(axis=0)
    spread = rows.std(axis=0)
    rows /= np.where(spread > 0.0, spread, 1.0)
    domains = np.repeat([0, 1], [len(source), len(target)])
    margins = np.empty(len(rows))
    for fold in np.unique(folds):
        held = folds == fold
        classifier = LogisticRegression(max_iter=1000)
        with warnings.catch_warnings():
            # Judged on held-out rows, a classifier short of its optimum is an honest one still.
            warnings.simplefilter("ignore", ConvergenceWarning)
            classifier.fit(rows[~held], domains[~held])
        margins[held] = classifier.decision_function(rows[held])
    return margins


def seeded_folds(n: int, m: int, seed: int) -> NDArray[np.int64]:
    """Folds of n source and m target rows `(n + m,)`, equal shares of both in each.

    Either side's folds depend on its size alone: swapping the sides swaps them, and a row that both
    sides share is held out of both at once where the sizes are equal.
    """
    count = min(_N_FOLDS, n, m)
    sides = [np.random.default_rng(seed).permutation(size) % count for size in (n, m)]
    return np.concatenate(sides)


def checked_folds(folds: ArrayLike, n: int, m: int) -> NDArray[np.int64]:
    """Given folds as ids `(n + m,)`, every one with both sides outside it.

    Raises:
        InputError: Not one fold per row, or one that leaves a side empty.
    """
    array = np.asarray(folds)
    if array.shape != (n + m,):
        raise InputError(
            f"`folds` must have one entry per row, source rows first ({n} + {m}); "
            f"got shape {array.shape}."
        )
    ids: NDArray[np.int64] = np.unique(array, return_inverse=True)[1].astype(np.int64)
    for side, part in (("source", ids[:n]), ("target", ids[n:])):
        if part.min() == part.max():
            raise InputError(f"`folds` must leave {side} rows outside every fold; one has all.")
    return ids


def area_under_curve(negative: NDArray[np.float64], positive: NDArray[np.float64]) -> float:
    """Probability that a positive stands above a negative, ties counted half."""
    n, m = len(negative), len(positive)
    ranks = rankdata(np.concatenate([negative, positive]))
    return float((ranks[n:].sum() - m * (m + 1) / 2) / (n * m))
