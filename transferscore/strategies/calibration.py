"""Calibration: from evidence to an expected metric with an interval, fitted on measured runs."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from transferscore.strategies.calibration_table import CALIBRATIONS, UNTRIED, Calibration
from transferscore.strategies.outlook_values import Prediction

__all__ = [
    "UNSEEN_SPREAD",
    "Observed",
    "calibrated",
    "log_odds",
    "raised",
    "shifted",
    "uncalibrated",
    "weighs_rehearsal",
]

# 90 % of a normal distribution lies within so many standard deviations.
_NINETY = 1.645
# A gain that was seen with some rows says nothing of more than sixteen times as many.
_MOST_DOUBLINGS = 4.0
# Error in accuracy that each doubling adds, by runs with 1,000 rows of which 512 were seen.
UNSEEN_SPREAD = 0.03


@dataclass(frozen=True, slots=True)
class Observed:
    """Evidence as numbers: metrics on rows that the fits have not seen.

    Attributes:
        probe: Of the probe on all rows.
        n_rows: How many rows that was.
        kernel_gain: Log odds that the strategy's kernel adds to those of the probe.
        rehearsal_gain: Log odds that tuning added in the rehearsal; 0 where nothing was rehearsed.
        frozen_share: Weight of the frozen features in the kernel, from 0 to 1; the tangents have
            the rest.
        n_seen: Rows that kernel and rehearsal saw; all of them by default.
    """

    probe: float
    n_rows: int
    kernel_gain: float = 0.0
    rehearsal_gain: float = 0.0
    frozen_share: float = 1.0
    n_seen: int | None = None

    @property
    def doublings(self) -> float:
        """How often the rows that were seen double up to all of them; four times is all we tell."""
        if self.n_seen is None:
            return 0.0
        return min(max(0.0, math.log2(self.n_rows / self.n_seen)), _MOST_DOUBLINGS)


def calibrated(strategy: str, observed: Observed, modality: str) -> Prediction:
    """Expected accuracy of a strategy, with its 90 % interval.

    In log odds: the probe's, plus shares of what kernel and rehearsal add, more where there are
    more rows than these saw; from scratch less, the more of the kernel the frozen features are
    worth. The interval has the chance of the rows in it, how far off other datasets were when each
    was predicted without itself, and what is not known of further rows.

    Args:
        strategy: Its name; one that was never measured gets the widest spread.
        observed: The evidence.
        modality: Of the data; runs on images say nothing of text.
    """
    table = _table(modality).get(strategy.partition(":")[0], UNTRIED)
    gain = table.kernel * observed.kernel_gain + table.rehearsal * observed.rehearsal_gain
    gain *= 1.0 + table.growth * observed.doublings
    odds = table.constant + gain + table.frozen * observed.frozen_share
    unseen = UNSEEN_SPREAD * observed.doublings if gain else 0.0
    return raised(observed.probe, odds, observed.n_rows, math.hypot(table.spread, unseen))


def weighs_rehearsal(modality: str) -> bool:
    """Whether a rehearsal has any say in what is expected of data like these."""
    return any(calibration.rehearsal for calibration in _table(modality).values())


def raised(probe: float, odds: float, n_rows: int, spread: float) -> Prediction:
    """An accuracy some log odds above the probe's.

    Args:
        probe: Held-out accuracy of the probe.
        odds: What is added.
        n_rows: Rows that the probe was held out on.
        spread: Standard deviation of the error beyond the chance of these rows.
    """
    return _interval(_probability(log_odds(probe, n_rows) + odds), n_rows, spread)


def shifted(prediction: Prediction, odds: float, spread: float) -> Prediction:
    """A prediction moved by some log odds, its interval no narrower and wider by `spread`."""
    value = _probability(_odds(prediction.value) + odds)
    half = math.hypot((prediction.high - prediction.low) / 2.0, _NINETY * spread)
    return Prediction(value, max(0.0, value - half), min(1.0, value + half))


def uncalibrated(value: float, losses: NDArray[np.float64]) -> Prediction:
    """A held-out R^2 as it is, with the chance of its rows and the spread of an unknown strategy.

    Args:
        value: Expected metric.
        losses: `(n,)` of the rows held out.
    """
    chance = float(np.std(losses)) / math.sqrt(len(losses))
    half = _NINETY * math.hypot(chance, UNTRIED.spread)
    return Prediction(value, value - half, min(1.0, value + half))


def log_odds(accuracy: float, n_rows: int) -> float:
    """Log odds of an accuracy among so many rows; all right counts as half a row wrong."""
    edge = 0.5 / n_rows
    return _odds(min(max(accuracy, edge), 1.0 - edge))


def _table(modality: str) -> Mapping[str, Calibration]:
    """Calibrations by strategy; a head alone is the same on all data."""
    kind = "text" if modality == "text_pair" else modality
    return CALIBRATIONS.get(kind, {"linear_probe": CALIBRATIONS["image"]["linear_probe"]})


def _odds(accuracy: float) -> float:
    inside = min(max(accuracy, 1e-6), 1.0 - 1e-6)
    return math.log(inside / (1.0 - inside))


def _probability(odds: float) -> float:
    return 1.0 / (1.0 + math.exp(-odds))


def _interval(value: float, n_rows: int, spread: float) -> Prediction:
    chance = (value * n_rows + 1.0) / (n_rows + 2.0)
    half = _NINETY * math.sqrt(chance * (1.0 - chance) / n_rows + spread**2)
    return Prediction(value, max(0.0, value - half), min(1.0, value + half))
