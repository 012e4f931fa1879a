"""Tests of `transferscore.scores.h_score`."""

from __future__ import annotations

import re
import warnings

import numpy as np
import pytest
from scipy.linalg import qr

from tests.reference.h_score import class_means, projected
from tests.reference.h_score import h_score as slow_h_score
from tests.reference.inputs import INPUTS, class_input, indicators
from transferscore.scores.h_score import h_score


@pytest.mark.parametrize("example", INPUTS, ids=lambda example: example.name)
def test_agrees_with_the_pseudo_inverse(example):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        value = h_score(example.features, example.labels, task=example.task)
    assert value == pytest.approx(slow_h_score(example.features, example.columns), rel=1e-8)


def test_the_projection_on_indicators_is_the_class_mean():
    features, labels = class_input(20, 4)
    means = class_means(features, labels)
    np.testing.assert_allclose(projected(features, indicators(labels)), means, atol=1e-12)


def test_it_is_the_sum_of_squared_canonical_correlations():
    features, _ = class_input(40, 6)
    targets = features[:, :2] + np.random.default_rng(0).normal(size=(40, 2))
    left = qr(features - features.mean(axis=0), mode="economic")[0]
    right = qr(targets - targets.mean(axis=0), mode="economic")[0]
    expected = np.sum(np.linalg.svd(left.T @ right, compute_uv=False) ** 2)
    assert h_score(features, targets, task="regression") == pytest.approx(expected, rel=1e-10)


@pytest.mark.parametrize("n_classes", [2, 3, 5])
def test_classes_told_apart_by_the_features_have_the_greatest_value(n_classes):
    labels = np.arange(60) % n_classes
    features = np.eye(n_classes)[labels] @ np.random.default_rng(0).normal(size=(n_classes, 8))
    assert h_score(features, labels) == pytest.approx(n_classes - 1)


def test_any_invertible_map_and_shift_change_nothing():
    features, labels = class_input(40, 6)
    mixed = features @ np.random.default_rng(0).normal(size=(6, 6)) + 1e4
    assert h_score(mixed, labels) == pytest.approx(h_score(features, labels), rel=1e-8)


def test_outputs_of_any_scale_count_alike():
    features, _ = class_input(40, 6)
    targets = features[:, :2] + np.random.default_rng(0).normal(size=(40, 2))
    value = h_score(features, targets, task="regression")
    scaled = h_score(features, targets * [1e9, 1e-9] + 3.0, task="regression")
    assert scaled == pytest.approx(value, rel=1e-8)
    padded = h_score(features, np.hstack([targets, np.full((40, 1), 0.1)]), task="regression")
    assert padded == pytest.approx(value, rel=1e-10)


@pytest.mark.parametrize("shape", [(60, 4), (20, 50)])
@pytest.mark.parametrize("constant", [0.0, 0.1, 1e8 + 0.1])
def test_constant_features_express_nothing(shape, constant):
    assert h_score(np.full(shape, constant), np.arange(shape[0]) % 3) == 0.0


@pytest.mark.parametrize("shape", [(12, 11), (12, 40), (2, 1)])
def test_few_samples_are_warned_of(shape):
    features = np.random.default_rng(0).normal(size=shape)
    n = shape[0]
    message = (
        f"H-score is at its maximum whatever the labels: the {n} samples are no more than the "
        "features span. Use adjusted_h_score."
    )
    with pytest.warns(RuntimeWarning, match=f"^{re.escape(message)}$"):
        assert h_score(features, np.arange(n) % 2) == pytest.approx(1.0)


def test_noise_stands_at_the_chance_level_stated():
    rng = np.random.default_rng(0)
    values = [h_score(rng.normal(size=(60, 12)), np.arange(60) % 4) for _ in range(60)]
    error = np.std(values) / np.sqrt(len(values))
    assert abs(np.mean(values) - 3 * 12 / 59) < 4 * error
