"""Tests of `transferscore.scores.shrinkage_h_score`."""

from __future__ import annotations

import numpy as np
import pytest

from tests.reference.inputs import INPUTS, class_input
from tests.reference.shrinkage_h_score import shrinkage_h_score as slow_shrinkage_h_score
from transferscore.scores.shrinkage_h_score import shrinkage_h_score, shrunk_gains
from transferscore.statistics import Statistics


@pytest.mark.parametrize("example", INPUTS, ids=lambda example: example.name)
def test_agrees_with_the_paper_term_by_term(example):
    value = shrinkage_h_score(example.features, example.labels, task=example.task)
    expected = slow_shrinkage_h_score(example.features, example.columns)
    assert value == pytest.approx(expected, rel=1e-8)


def test_rotation_scale_and_shift_change_nothing():
    features, labels = class_input(40, 6)
    rotation = np.linalg.qr(np.random.default_rng(0).normal(size=(6, 6)))[0]
    value = shrinkage_h_score(features, labels)
    moved = features @ rotation * 1e-3 + 7.0
    assert shrinkage_h_score(moved, labels) == pytest.approx(value, rel=1e-8)


@pytest.mark.parametrize("scale", [1e-60, 1e60])
def test_extreme_scales_change_nothing(scale):
    features, labels = class_input(40, 6)
    value = shrinkage_h_score(features, labels)
    assert shrinkage_h_score(features * scale, labels) == pytest.approx(value, rel=1e-10)


@pytest.mark.parametrize("shape", [(60, 4), (20, 50)])
def test_constant_features_express_nothing(shape):
    assert shrinkage_h_score(np.full(shape, 0.1), np.arange(shape[0]) % 3) == 0.0


def test_few_samples_are_still_told_apart():
    features, labels = class_input(14, 30)
    shuffled = np.random.default_rng(1).permutation(labels)
    assert shrinkage_h_score(features, labels) > shrinkage_h_score(features, shuffled) + 0.1


@pytest.mark.parametrize(("n", "d"), [(40, 6), (14, 30)])
def test_gains_fall_with_the_variance_of_a_direction(n, d):
    gains = shrunk_gains(Statistics(*class_input(n, d)))
    assert (np.diff(gains) <= 0.0).all()
    assert 0.0 < gains[-1] < gains[0] < 1.0
