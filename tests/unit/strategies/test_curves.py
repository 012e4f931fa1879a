"""Tests of learning curves and the questions that they answer."""

from __future__ import annotations

import math

import pytest

from transferscore.strategies import CurvePoint, Prediction
from transferscore.strategies.curves import curve_of, doubling_gain, labels_until_better


def points(error_at_100, power, sizes=(100, 200, 400, 800), half=0.02):
    values = [1 - error_at_100 * (n / 100) ** -power for n in sizes]
    return [
        CurvePoint(n, Prediction(v, v - half, v + half)) for n, v in zip(sizes, values, strict=True)
    ]


def test_a_power_law_is_found_again():
    curve = curve_of(points(0.4, 0.5))
    assert curve.slope == pytest.approx(0.5)
    assert curve.value(3200) == pytest.approx(1 - 0.4 * 32**-0.5)
    gain, low, high = doubling_gain(curve)
    assert gain == pytest.approx(curve.value(1600) - curve.value(800))
    assert low < gain < high


def test_wider_points_give_a_wider_interval():
    widths = []
    for half in (0.01, 0.05):
        _, low, high = doubling_gain(curve_of(points(0.4, 0.5, half=half)))
        widths.append(high - low)
    assert widths[1] > 2 * widths[0]


def test_a_curve_that_falls_is_taken_as_flat():
    curve = curve_of(points(0.2, -0.3))
    assert curve.slope == 0.0
    assert doubling_gain(curve)[0] == 0.0


def test_two_points_are_no_curve():
    assert curve_of(points(0.4, 0.5, sizes=(100, 200))) is None
    assert curve_of([]) is None


def test_a_perfect_metric_has_a_curve():
    assert math.isfinite(curve_of(points(0.0, 0.5)).value(10_000))


def test_fine_tuning_overtakes_where_the_curves_cross():
    """Errors .4 and .6 at 100 labels with powers .2 and .5: equal at 100 * 1.5 ** (1 / .3)."""
    probe, tuned = curve_of(points(0.4, 0.2)), curve_of(points(0.6, 0.5))
    crossing = labels_until_better(tuned, probe)
    assert crossing.n_samples == pytest.approx(100 * 1.5 ** (1 / 0.3), rel=0.03)
    assert crossing.low <= crossing.n_samples <= crossing.high


def test_curves_that_never_cross_cross_at_infinity():
    probe, tuned = curve_of(points(0.1, 0.5)), curve_of(points(0.6, 0.1))
    crossing = labels_until_better(tuned, probe)
    assert math.isinf(crossing.n_samples)


def test_fine_tuning_that_is_always_better_needs_the_fewest_labels_looked_at():
    probe, tuned = curve_of(points(0.5, 0.2)), curve_of(points(0.2, 0.2))
    assert labels_until_better(tuned, probe).n_samples == pytest.approx(800 / 16)


def test_fine_tuning_that_is_ahead_now_is_not_said_to_fall_behind_later():
    """Errors .5 and .45 at 100 labels; the probe's falls faster, and would be less from 154 on."""
    sizes = (25, 50, 100)
    probe = curve_of(points(0.5, 0.5, sizes))
    tuned = curve_of(points(0.45, 0.26, sizes))
    crossing = labels_until_better(tuned, probe)
    assert crossing.n_samples == pytest.approx(100 / 16)


def test_fine_tuning_that_is_behind_now_is_ahead_later():
    sizes = (25, 50, 100)
    probe, tuned = curve_of(points(0.4, 0.2, sizes)), curve_of(points(0.6, 0.5, sizes))
    crossing = labels_until_better(tuned, probe)
    assert crossing.n_samples == pytest.approx(100 * 1.5 ** (1 / 0.3), rel=0.03)
