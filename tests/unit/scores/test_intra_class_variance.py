"""Tests of `transferscore.scores.intra_class_variance`."""

from __future__ import annotations

import numpy as np
import pytest

from tests.reference.inputs import CLASS_INPUTS
from tests.reference.intra_class_variance import intra_class_variance as slow
from transferscore.scores.intra_class_variance import intra_class_variance


@pytest.mark.parametrize("example", CLASS_INPUTS, ids=lambda example: example.name)
def test_agrees_with_one_sample_at_a_time(example):
    value = intra_class_variance(example.features, example.labels)
    assert value == pytest.approx(slow(example.features, example.labels), rel=1e-8)


def test_classes_that_are_points_stand_at_zero():
    labels = np.arange(30) % 3
    assert intra_class_variance(np.eye(3)[labels], labels) == pytest.approx(0.0, abs=1e-12)


def test_features_that_do_not_vary_stand_at_minus_one():
    assert intra_class_variance(np.ones((10, 3)), np.arange(10) % 2) == -1.0


@pytest.mark.parametrize("ratio", [0.2, 1.0, 5.0, 20.0])
def test_noise_stands_where_it_is_said_to(ratio):
    n, k = 60, 4
    rng = np.random.default_rng(0)
    values = [
        intra_class_variance(rng.normal(size=(n, round(n / ratio))), np.arange(n) % k)
        for _ in range(20)
    ]
    assert np.mean(values) == pytest.approx(-(n - k) / (n - 1), abs=0.012)
