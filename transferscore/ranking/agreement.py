"""Agreement: how well a ranking made before training matches what was measured after it."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from transferscore.errors import InputError

__all__ = ["first_choice_regret", "interval_coverage", "mean_absolute_error", "weighted_tau"]


def weighted_tau(predicted: ArrayLike, measured: ArrayLike) -> float:
    r"""Tell how well the order agrees, exchanges near the top counting most.

    Kendall's tau with additive hyperbolic weights: a pair whose members stand at ranks r and s
    (from 0) weighs :math:`1/(r + 1) + 1/(s + 1)`; the mean of ranking by either argument.

    Args:
        predicted: `(m,)` one number a candidate, higher is better, in any unit.
        measured: `(m,)` what the same candidates reached, higher is better.

    Returns:
        In [-1, 1]: 1 for the same order, about 0 for a random one, -1 for the reverse. 0 where all
        candidates are equal in one of the two, since then there is no order to agree with.

    Raises:
        InputError: Shapes differ, a number is not finite, or there is no candidate.

    References:
        Vigna (2015), A weighted correlation index for rankings with ties, WWW.

    Examples:
        >>> round(weighted_tau([0.9, 0.8, 0.7, 0.6, 0.5], [0.95, 0.7, 0.8, 0.6, 0.5]), 4)
        0.8175
    """
    first, second = _pair(predicted, measured)
    if np.ptp(first) == 0.0 or np.ptp(second) == 0.0:
        return 0.0
    from scipy.stats import weightedtau

    return float(weightedtau(first, second).statistic)


def first_choice_regret(predicted: ArrayLike, measured: ArrayLike) -> float:
    r"""Tell what taking the candidate ranked first costs against the best one.

    .. math:: \max_i m_i - m_{\arg\max_i p_i}

    Candidates that share the highest prediction are one choice made at random: their mean counts.

    Args:
        predicted: `(m,)` one number a candidate, higher is better, in any unit.
        measured: `(m,)` what the same candidates reached, higher is better.

    Returns:
        At least 0, in the unit of `measured`; 0 where the first choice is the best there is.

    Raises:
        InputError: Shapes differ, a number is not finite, or there is no candidate.

    Examples:
        >>> round(first_choice_regret([0.9, 0.8, 0.7, 0.6, 0.5], [0.91, 0.94, 0.7, 0.6, 0.5]), 4)
        0.03
    """
    first, second = _pair(predicted, measured)
    return float(second.max() - second[first == first.max()].mean())


def mean_absolute_error(predicted: ArrayLike, measured: ArrayLike) -> float:
    r"""Tell how far predictions stand from what was measured, on average.

    .. math:: \tfrac1m \sum_i |p_i - m_i|

    Args:
        predicted: `(m,)` predictions, in the unit of `measured`.
        measured: `(m,)` what the same candidates reached.

    Returns:
        At least 0, in the unit of `measured`.

    Raises:
        InputError: Shapes differ, a number is not finite, or there is no candidate.

    Examples:
        >>> round(mean_absolute_error([0.9, 0.8, 0.7, 0.6, 0.5], [0.92, 0.8, 0.6, 0.6, 0.5]), 4)
        0.024
    """
    first, second = _pair(predicted, measured)
    return float(np.abs(first - second).mean())


def interval_coverage(low: ArrayLike, high: ArrayLike, measured: ArrayLike) -> float:
    r"""Tell how often the measured value lies within the predicted interval, ends included.

    .. math:: \tfrac1m \#\{i : l_i \le m_i \le h_i\}

    Args:
        low: `(m,)` lower ends, in the unit of `measured`.
        high: `(m,)` upper ends.
        measured: `(m,)` what the same candidates reached.

    Returns:
        In [0, 1]; honest 90% intervals give about 0.9 over many datasets. The candidates of one
        dataset share its sample, so one dataset alone may well give 0 or 1.

    Raises:
        InputError: Shapes differ, a number is not finite, there is no candidate, or a lower end is
            above its upper end.

    Examples:
        >>> interval_coverage([0.8, 0.7, 0.6, 0.5, 0.4], [0.9] * 5, [0.85, 0.9, 0.6, 0.95, 0.3])
        0.6
    """
    lower, value = _pair(low, measured, "low")
    upper, _ = _pair(high, measured, "high")
    if crossed := int((lower > upper).sum()):
        row = int(np.argmax(lower > upper))
        raise InputError(
            f"`low` must not be above `high`; it is for {crossed} of {len(lower)} candidates, "
            f"first at row {row} ({lower[row]:g} > {upper[row]:g})."
        )
    return float(((lower <= value) & (value <= upper)).mean())


def _pair(
    values: ArrayLike, measured: ArrayLike, name: str = "predicted"
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Both as finite vectors of one length."""
    first, second = _vector(values, name), _vector(measured, "measured")
    if len(first) != len(second):
        raise InputError(
            f"`{name}` must have one entry per entry of `measured` ({len(second)}); "
            f"got {len(first)}."
        )
    return first, second


def _vector(values: ArrayLike, name: str) -> NDArray[np.float64]:
    vector = np.asarray(values, dtype=np.float64)
    if vector.ndim != 1 or not len(vector):
        raise InputError(
            f"`{name}` must have shape (n_candidates,) with at least one; got {vector.shape}."
        )
    if missing := int((~np.isfinite(vector)).sum()):
        row = int(np.argmin(np.isfinite(vector)))
        raise InputError(
            f"`{name}` must be finite; {missing} of {len(vector)} entries are not, "
            f"first at row {row}. Leave out candidates that failed."
        )
    return vector
