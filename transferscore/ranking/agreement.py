"""How well predictions agree with what was measured afterwards."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from transferscore.errors import InputError
from transferscore.ranking.ranking import Prediction

__all__ = ["Agreement", "agreement", "mean_absolute_error", "regret", "weighted_tau"]


@dataclass(frozen=True, slots=True)
class Agreement:
    """Predictions against measurements of the same candidates.

    Attributes:
        weighted_tau: Kendall's tau with more weight at the top, in [-1, 1]; 0 for a random order.
        regret: Measured value of the best candidate less that of the one predicted to be best.
        mean_absolute_error: Mean of |predicted - measured|, in the metric.
        coverage: Share of measurements within the predicted interval.
    """

    weighted_tau: float
    regret: float
    mean_absolute_error: float
    coverage: float


def agreement(predicted: Sequence[Prediction], measured: ArrayLike) -> Agreement:
    """Compare predictions with measured values of the same candidates, in the same order.

    Raises:
        InputError: Not as many measurements as predictions, or none.
    """
    values = [prediction.value for prediction in predicted]
    expected, actual = _pair(values, measured)
    low = np.array([prediction.low for prediction in predicted])
    high = np.array([prediction.high for prediction in predicted])
    return Agreement(
        weighted_tau(expected, actual),
        regret(expected, actual),
        mean_absolute_error(expected, actual),
        float(np.mean((low <= actual) & (actual <= high))),
    )


def weighted_tau(predicted: ArrayLike, measured: ArrayLike) -> float:
    """Kendall's tau in which exchanges near the top weigh more (hyperbolic weights).

    The mean of weighting by predicted and by measured rank, as in scipy. 1 for the same order,
    about 0 for a random one, 0 where either side has one value only.

    References:
        Vigna (2015), A weighted correlation index for rankings with ties, WWW.

    Examples:
        >>> weighted_tau([0.9, 0.8, 0.7], [0.95, 0.85, 0.6])
        1.0
    """
    from scipy.stats import weightedtau

    expected, actual = _pair(predicted, measured)
    if np.ptp(expected) == 0.0 or np.ptp(actual) == 0.0:
        return 0.0
    return float(weightedtau(actual, expected).statistic)


def regret(predicted: ArrayLike, measured: ArrayLike) -> float:
    """What choosing the candidate predicted to be best costs, in the metric; 0 if it is the best.

    Examples:
        >>> round(regret([0.9, 0.8, 0.7], [0.85, 0.88, 0.6]), 3)
        0.03
    """
    expected, actual = _pair(predicted, measured)
    return float(actual.max() - actual[expected.argmax()])


def mean_absolute_error(predicted: ArrayLike, measured: ArrayLike) -> float:
    """Mean distance between predicted and measured value, in the metric.

    Examples:
        >>> round(mean_absolute_error([0.9, 0.8], [0.85, 0.81]), 3)
        0.03
    """
    expected, actual = _pair(predicted, measured)
    return float(np.mean(np.abs(expected - actual)))


def _pair(
    predicted: ArrayLike, measured: ArrayLike
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    expected, actual = np.asarray(predicted, np.float64), np.asarray(measured, np.float64)
    if expected.ndim != 1 or expected.shape != actual.shape or not len(expected):
        raise InputError(
            "`predicted` and `measured` must have the same shape (n_candidates,); "
            f"got {expected.shape} and {actual.shape}."
        )
    return expected, actual
