"""Tests of `transferscore.scores.logme`: the maximum itself, in every regime."""

from __future__ import annotations

import re

import numpy as np
import pytest

from tests.reference.inputs import INPUTS, class_input, indicators
from tests.reference.logme import log_evidence
from tests.reference.logme import logme as slow_logme
from transferscore.scores.logme import logme

UNBOUNDED = "LogME is infinite: fewer directions than samples reproduce the targets exactly."


@pytest.mark.parametrize("example", INPUTS, ids=lambda example: example.name)
def test_agrees_with_a_search_over_many_starts(example):
    value = logme(example.features, example.labels, task=example.task)
    assert value == pytest.approx(slow_logme(example.features, example.columns), rel=1e-8)


@pytest.mark.parametrize(("n", "d"), [(30, 5), (10, 25)])
def test_no_evidence_of_the_marginal_covariance_is_larger(n, d):
    features, labels = class_input(n, d, n_classes=2)
    column = indicators(labels)[:, 0]
    value = logme(features, column[:, None], task="regression")
    grid = 10.0 ** np.arange(-3.0, 5.0, 0.1)
    best = max(log_evidence(features, column, a, b) / n for a in grid for b in grid)
    assert best <= value + 1e-10
    assert best == pytest.approx(value, abs=0.02)


def test_few_samples_do_not_make_it_explode():
    features = np.random.default_rng(0).normal(size=(40, 500))
    assert -0.75 < logme(features, np.arange(40) % 4) < -0.6


def test_rotation_and_scale_change_nothing():
    features, labels = class_input(40, 6)
    rotation = np.linalg.qr(np.random.default_rng(0).normal(size=(6, 6)))[0]
    value = logme(features, labels)
    assert logme(features @ rotation * 1e3, labels) == pytest.approx(value, rel=1e-9)


def test_a_shift_is_not_nothing():
    features, labels = class_input(40, 6)
    assert abs(logme(features + 5.0, labels) - logme(features, labels)) > 1e-3


@pytest.mark.parametrize("shape", [(30, 4), (20, 50)])
def test_features_that_are_zero_leave_the_evidence_of_noise(shape):
    labels = np.arange(shape[0]) % 2
    expected = -0.5 * np.log(2 * np.pi * np.e * 0.5)
    assert logme(np.zeros(shape), labels) == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("wide", [False, True])
def test_targets_reproduced_exactly_are_infinitely_likely(wide):
    labels = np.arange(30) % 3
    features = np.eye(3)[labels] @ np.random.default_rng(0).normal(size=(3, 50 if wide else 5))
    with pytest.warns(RuntimeWarning, match=f"^{re.escape(UNBOUNDED)}$"):
        assert logme(features, labels) == np.inf


@pytest.mark.parametrize("d", [2, 5, 50])
def test_without_an_intercept_centred_classes_are_not_reproduced(d):
    """Class means on a centred simplex span the indicators but for their mean."""
    labels = np.arange(30) % 3
    corners = (np.eye(3) - 1 / 3) @ np.random.default_rng(0).normal(size=(3, d))
    features = corners[labels] - corners[labels].mean(axis=0)
    value = logme(features, labels)
    assert value == pytest.approx(slow_logme(features, indicators(labels)), rel=1e-6)


def test_two_samples_are_scored():
    features = [[1.0, 2.0], [0.5, -1.0]]
    expected = slow_logme(np.array(features), np.eye(2))
    assert logme(features, [0, 1]) == pytest.approx(expected, rel=1e-6)


def test_two_samples_that_reproduce_a_label_are_infinitely_likely():
    with pytest.warns(RuntimeWarning, match=f"^{re.escape(UNBOUNDED)}$"):
        assert logme([[0.0], [2.0]], [0, 1]) == np.inf


def test_constant_columns_are_left_out_with_a_warning():
    features, labels = class_input(40, 6)
    columns = indicators(labels)
    padded = np.column_stack([columns, np.zeros(40), np.ones(40), np.full(40, 0.1)])
    message = "LogME leaves out 3 target columns that are constant."
    with pytest.warns(RuntimeWarning, match=f"^{re.escape(message)}$"):
        value = logme(features, padded, task="regression")
    assert value == pytest.approx(logme(features, labels), rel=1e-12)


def test_informative_features_stand_above_noise():
    features, labels = class_input(60, 5)
    noise = np.random.default_rng(0).permutation(features)
    assert logme(features, labels) > logme(noise, labels) + 0.05
