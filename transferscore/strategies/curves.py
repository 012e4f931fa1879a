"""What more labels would do: learning curves extended as power laws, with an interval."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from transferscore.strategies.outlook import CurvePoint

__all__ = ["FURTHEST", "Crossing", "Curve", "curve_of", "doubling_gain", "labels_until_better"]

_QUANTILE = 1.6448536269514722
# An error of nothing has no logarithm; one sample in a thousand is as good as can be told.
_LEAST_ERROR = 1e-3
_FEWEST_POINTS = 3
# A power law fitted to a few points says nothing of a hundred times as many labels.
FURTHEST = 16.0
_STEPS = 400


@dataclass(frozen=True, slots=True)
class Curve:
    r"""An error that falls as a power of the number of labels, :math:`e(m) = e(n) (m/n)^{-b}`.

    Attributes:
        n_samples: Labels n that there are.
        error: 1 less the metric at n.
        slope: The power b, at least 0.
        slope_spread: Standard deviation of b.
    """

    n_samples: int
    error: float
    slope: float
    slope_spread: float

    def value(self, n_samples: float, slope: float | None = None) -> float:
        """Expected metric with so many labels."""
        power = self.slope if slope is None else slope
        return 1.0 - self.error * math.pow(n_samples / self.n_samples, -max(0.0, power))

    @property
    def slopes(self) -> tuple[float, float]:
        """Ends of the 90 % interval of the power."""
        half = _QUANTILE * self.slope_spread
        return max(0.0, self.slope - half), self.slope + half


@dataclass(frozen=True, slots=True)
class Crossing:
    """From how many labels on one curve is above another.

    Attributes:
        n_samples: Expected; infinite if not within 16 times the labels that there are, and a
            sixteenth of them if with fewer.
        low: Lower end of the 90 % interval.
        high: Upper end; likewise perhaps infinite.
    """

    n_samples: float
    low: float
    high: float


def curve_of(points: Sequence[CurvePoint]) -> Curve | None:
    """The power law through the points, exact at the last; None with fewer than three.

    Args:
        points: Expected metric at ascending numbers of labels, the last with all of them.
    """
    if len(points) < _FEWEST_POINTS:
        return None
    sizes = np.log([point.n_samples for point in points])
    errors = np.array([max(1.0 - p.predicted.value, _LEAST_ERROR) for p in points])
    halves = np.array([(p.predicted.high - p.predicted.low) / 2.0 for p in points])
    centred = sizes - sizes.mean()
    scatter = float(centred @ centred)
    slope = -float(centred @ np.log(errors)) / scatter
    fitted = np.log(errors).mean() - slope * centred
    residual = float(np.sum((np.log(errors) - fitted) ** 2)) / (len(points) - 2)
    # Points of one sample share much of their error: what the fit leaves is the rest of it, but it
    # may be small by chance where there are few points.
    stated = float(np.mean((halves / (_QUANTILE * errors)) ** 2)) / len(points)
    spread = math.sqrt(max(residual, stated) / scatter)
    last = points[-1]
    return Curve(last.n_samples, float(errors[-1]), max(0.0, slope), spread)


def doubling_gain(curve: Curve) -> tuple[float, float, float]:
    """What twice the labels would add to the metric, and the 90 % interval of that."""
    twice, now = 2.0 * curve.n_samples, 1.0 - curve.error
    low, high = (curve.value(twice, slope) - now for slope in curve.slopes)
    return curve.value(twice) - now, low, high


def labels_until_better(tuned: Curve, probe: Curve) -> Crossing:
    """From how many labels on fine-tuning is expected to beat the probe.

    Args:
        tuned: Of the fine-tuning.
        probe: Of the probe of the same model, with as many labels.
    """
    early, late = tuned.slopes[1], tuned.slopes[0]
    ends = sorted(_crossing(tuned, probe, slope) for slope in (early, late))
    return Crossing(_crossing(tuned, probe, tuned.slope), ends[0], ends[1])


def _crossing(tuned: Curve, probe: Curve, slope: float) -> float:
    """Looks back where fine-tuning is ahead now, and ahead where it is not."""
    n = tuned.n_samples
    is_ahead = tuned.value(n, slope) >= probe.value(n)
    ends = (n, n / FURTHEST) if is_ahead else (n, n * FURTHEST)
    sizes = np.geomspace(*ends, _STEPS)
    changes = ((tuned.value(m, slope) >= probe.value(m)) != is_ahead for m in sizes)
    first = next((i for i, changed in enumerate(changes) if changed), None)
    if first is None:
        return float(sizes[-1]) if is_ahead else math.inf
    return float(sizes[first - 1] if is_ahead else sizes[first])
