"""Tests of `transferscore.scores.adjusted_h_score`."""

from __future__ import annotations

import numpy as np
import pytest

from tests.reference.adjusted_h_score import adjusted_h_score as slow_adjusted_h_score
from tests.reference.inputs import class_input, indicators
from transferscore.scores.adjusted_h_score import adjusted_h_score


@pytest.mark.parametrize(
    ("labels", "d"),
    [
        ([0, 0, 1, 1, 2, 2], 2),
        ([0, 0, 0, 0, 0, 1], 2),
        ([0, 0, 1, 1, 2, 2], 1),
        ([0, 0, 0, 1, 1, 1], 9),
        ([0, 1, 2, 3, 3, 0], 9),
    ],
)
def test_chance_is_the_mean_over_all_orders_of_the_labels(labels, d):
    features = np.random.default_rng(d).normal(size=(6, d)) * np.arange(1, d + 1)
    features[:, 0] += np.array(labels)
    expected = slow_adjusted_h_score(features, indicators(np.array(labels)))
    assert adjusted_h_score(features, labels) == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("d", [2, 9])
def test_chance_for_real_valued_targets(d):
    rng = np.random.default_rng(d)
    features, targets = rng.normal(size=(6, d)) * np.arange(1, d + 1), rng.normal(size=(6, 2))
    expected = slow_adjusted_h_score(features, targets)
    value = adjusted_h_score(features, targets, task="regression")
    assert value == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("d", [3, 12, 60, 300])
def test_noise_stands_at_zero_in_every_regime(d):
    rng = np.random.default_rng(d)
    values = [adjusted_h_score(rng.normal(size=(60, d)), np.arange(60) % 4) for _ in range(40)]
    assert abs(np.mean(values)) < 4 * np.std(values) / np.sqrt(len(values))


@pytest.mark.parametrize("d", [4, 60])
def test_classes_told_apart_completely_stand_at_one(d):
    labels = np.arange(30) % 3
    features = np.eye(3)[labels] @ np.random.default_rng(0).normal(size=(3, d))
    assert adjusted_h_score(features, labels) == pytest.approx(1.0, abs=1e-9)


@pytest.mark.parametrize("shape", [(60, 4), (20, 50)])
@pytest.mark.parametrize("constant", [0.0, 0.1, 1e8 + 0.1])
def test_constant_features_stand_at_zero(shape, constant):
    assert adjusted_h_score(np.full(shape, constant), np.arange(shape[0]) % 3) == 0.0


def test_a_class_for_each_sample_says_nothing():
    features, _ = class_input(20, 6)
    assert adjusted_h_score(features, np.arange(20)) == 0.0


def test_width_alone_does_not_raise_it():
    features, labels = class_input(60, 5)
    noise = np.random.default_rng(0).normal(size=(60, 400)) * 0.5
    padded = adjusted_h_score(np.hstack([features, noise]), labels)
    assert padded < adjusted_h_score(features, labels)
