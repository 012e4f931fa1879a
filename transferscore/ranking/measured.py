"""Measured: a prediction that learns from what training the same pair on the same rows reached."""

from __future__ import annotations

import math
from dataclasses import replace

from transferscore.datasets import Dataset
from transferscore.ranking.pairs import Pair
from transferscore.ranking.priors import Prior
from transferscore.ranking.uncertainty import QUANTILE
from transferscore.strategies.curves import curve_of
from transferscore.strategies.option import PROBE
from transferscore.strategies.outlook import CurvePoint, Prediction

__all__ = ["with_measured"]

# Standard deviation between seeds of one training of 120 rows, by tests/benchmarks/bench_seeds.py:
# .005 to .034 on two sets of images. No other metric was measured.
_SEED_SPREAD = 0.02


def with_measured(pair: Pair, dataset: Dataset) -> Pair:
    r"""The pair as expected after what `verify` measured of it on the same rows; else as it was.

    Prediction and measurement share the sampling error of the rows. What the prediction has beyond
    it, of variance :math:`a^2`, and what the measurement has, :math:`b^2`, are independent, so that

    .. math:: v = p + (m + g - p)\, a^2 / (a^2 + b^2), \quad
        b^2 = s^2 (n / t - 1) + r^2 / k + h^2

    with g ± h the gain from the measurement's labels to all n of them, s the sampling error of n
    rows, t the rows tested on in k folds, and r the spread between seeds. The interval becomes
    narrower by what the measurement tells. A probe is not changed: its prediction is a measurement
    on held-out rows already. Nor is a pair changed by runs that were shorter than its recipe.

    Args:
        pair: With its entry's priors.
        dataset: What is ranked on.
    """
    prior = _prior(pair, dataset.task.metric)
    if prior is None:
        return pair
    n, own = len(dataset), pair.own_spread
    gain, gain_spread = _gain(pair, prior.n_train, n)
    n_tested = min(n, prior.n_folds * max(1, n - prior.n_train))
    sampling = (pair.shared_scale * pair.probe_spread) ** 2 * (n / n_tested - 1.0)
    noise = sampling + _SEED_SPREAD**2 / prior.n_folds + gain_spread**2
    weight = own**2 / (own**2 + noise)
    value = pair.value + weight * (prior.value + gain - pair.value)
    # The spread without the part that the measurement makes smaller.
    spread = (pair.high - pair.low) / (2.0 * QUANTILE)
    half = QUANTILE * math.sqrt(max(spread**2 - weight * own**2, 0.0))
    low, high = value - half, value + half
    if pair.is_share:
        value, low, high = (min(max(x, 0.0), 1.0) for x in (value, low, high))
    return replace(pair, value=value, low=low, high=high, measured=prior)


def _prior(pair: Pair, metric: str) -> Prior | None:
    if pair.strategy == PROBE or pair.option is None:
        return None
    return next(
        (
            prior
            for prior in pair.entry.priors
            if (prior.strategy, prior.metric) == (pair.strategy, metric)
            and prior.same_rows
            and prior.as_recipe
        ),
        None,
    )


def _gain(pair: Pair, n_train: int, n_samples: int) -> tuple[float, float]:
    """What all labels add to those of a fold, and its spread; nothing where no curve tells."""
    points = pair.option.outlook.learning_curve if pair.option is not None else ()
    now = CurvePoint(n_samples, Prediction(pair.value, pair.low, pair.high))
    curve = curve_of([*(p for p in points if p.n_samples < n_samples), now])
    if curve is None:
        return 0.0, 0.0
    gain, low, high = (
        1.0 - curve.error - curve.value(n_train, slope) for slope in (None, *curve.slopes)
    )
    return gain, (high - low) / (2.0 * QUANTILE)
