"""Tests of `transferscore.scores.sfda`."""

from __future__ import annotations

import re
import warnings

import numpy as np
import pytest

from tests.reference.inputs import CLASS_INPUTS, class_input
from tests.reference.sfda import sfda as slow_sfda
from transferscore.scores.sfda import sfda
from transferscore.statistics.rows import row_blocks


def quiet_sfda(*arguments) -> float:
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", ".*whatever the labels", RuntimeWarning)
        return sfda(*arguments)


# Without shrinkage worth the name, a scale of 1e6 leaves n < d and repeats to rounding.
@pytest.mark.parametrize("example", CLASS_INPUTS, ids=lambda example: example.name)
def test_agrees_with_the_paper_step_by_step(example):
    features = example.features * (0.2 if example.features.std() < 100 else 1.0)
    value = quiet_sfda(features, example.labels)
    assert value == pytest.approx(slow_sfda(features, example.labels), rel=1e-7)


def test_blocks_change_nothing(monkeypatch):
    features, labels = class_input(40, 6)
    whole = sfda(features, labels)
    monkeypatch.setattr(row_blocks, "__defaults__", (8 * 6 * 7,))
    assert sfda(features, labels) == pytest.approx(whole, rel=1e-10)


def test_noise_is_perfect_for_few_samples_and_a_warning_says_so():
    features = np.random.default_rng(0).normal(size=(60, 300))
    message = (
        "SFDA is as good as perfect whatever the labels: it is the fit to 60 samples along 59 "
        "directions. Use lda, which is held out."
    )
    with pytest.warns(RuntimeWarning, match=f"^{re.escape(message)}$"):
        assert sfda(features, np.arange(60) % 4) > 0.99


def test_noise_is_too_good_for_samples_that_are_not_many():
    features = np.random.default_rng(0).normal(size=(100, 60))
    with pytest.warns(RuntimeWarning, match="^SFDA is too good whatever the labels: "):
        assert sfda(features, np.arange(100) % 4) > 0.4


@pytest.mark.parametrize("d", [3, 12])
def test_noise_stands_above_chance(d):
    rng, labels = np.random.default_rng(d), np.arange(60) % 4
    values = [sfda(rng.normal(size=(60, d)), labels) for _ in range(20)]
    assert 0.25 < np.mean(values) < 0.35


@pytest.mark.parametrize("shape", [(60, 4), (20, 50)])
def test_constant_features_leave_the_class_shares(shape):
    labels = (np.arange(shape[0]) % 4 == 0).astype(int)
    expected = 0.25**2 + 0.75**2
    assert quiet_sfda(np.full(shape, 0.1), labels) == pytest.approx(expected, rel=1e-12)


def test_classes_that_are_points_are_told_apart_with_a_warning():
    points = np.random.default_rng(0).normal(size=(3, 5))[np.arange(30) % 3]
    with pytest.warns(RuntimeWarning, match="^The features do not vary within the classes along"):
        assert quiet_sfda(points, np.arange(30) % 3) > 0.99
