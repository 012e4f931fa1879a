"""Tests of `transferscore.statistics.ridge`: closed forms against literal refits."""

from __future__ import annotations

import re

import numpy as np
import pytest

from tests.reference.inputs import INPUTS, class_input
from tests.reference.ridge import held_out_outputs
from transferscore.errors import InputError
from transferscore.statistics import Statistics, class_targets, held_out_folds, real_targets
from transferscore.statistics.ridge import penalty_path
from transferscore.statistics.rows import row_blocks


def literal_losses(example, outputs):
    if example.task == "classification":
        return outputs.argmax(axis=1) != example.columns.argmax(axis=1)
    return np.mean((outputs - example.columns) ** 2 / example.columns.var(axis=0), axis=1)


@pytest.mark.parametrize("example", INPUTS, ids=lambda example: example.name)
def test_leave_one_out_is_a_refit_for_each_row(example):
    statistics = Statistics(example.features, example.labels, task=example.task)
    held = statistics.held_out
    n = len(example.features)
    for i in (0, 6, 12):
        outputs = held_out_outputs(
            example.features, example.columns, np.arange(n), held.penalties[i]
        )
        expected = np.mean((outputs - example.columns) ** 2)
        assert held.errors[i] == pytest.approx(expected, rel=1e-7)
        np.testing.assert_allclose(held.losses[i], literal_losses(example, outputs), rtol=1e-6)


def test_the_path_of_penalties_and_the_choice_among_them():
    features, labels = class_input(40, 6)
    statistics = Statistics(features, labels)
    held = statistics.held_out
    total = np.sum((features - features.mean(axis=0)) ** 2)
    np.testing.assert_allclose(held.penalties[:-1], total * np.logspace(-6, 0, 13), rtol=1e-12)
    assert held.penalties[-1] == np.inf
    mean_losses = held.losses.mean(axis=1)
    least = np.flatnonzero(mean_losses == mean_losses.min())
    assert held.best == least[held.errors[least].argmin()]
    assert held.value == 1.0 - mean_losses.min()
    assert (held.row_losses == held.losses[held.best]).all()


def test_of_equally_accurate_penalties_the_one_of_least_error_is_chosen():
    labels = np.arange(30) % 3
    features = np.random.default_rng(0).normal(size=(30, 5)) + 10.0 * np.eye(3, 5)[labels]
    held = Statistics(features, labels).held_out
    perfect = np.flatnonzero(held.losses.sum(axis=1) == 0.0)
    assert len(perfect) > 5
    assert held.best == perfect[held.errors[perfect].argmin()]


def test_blocks_change_nothing(monkeypatch):
    features, labels = class_input(40, 6)
    whole = Statistics(features, labels).held_out
    monkeypatch.setattr(row_blocks, "__defaults__", (8 * 9 * 7,))
    in_blocks = Statistics(features, labels).held_out
    np.testing.assert_allclose(in_blocks.errors, whole.errors, rtol=1e-10)
    assert (in_blocks.losses == whole.losses).all()


def test_the_path_scales_with_the_features():
    features, labels = class_input(40, 6)
    path = penalty_path(Statistics(features, labels).spectrum)
    np.testing.assert_allclose(
        penalty_path(Statistics(features * 10.0, labels).spectrum), path * 100.0, rtol=1e-10
    )


@pytest.mark.parametrize("shape", [(30, 3), (30, 50)])
def test_without_features_the_largest_class_is_the_answer(shape):
    held = Statistics(np.full(shape, 0.1), [0] * 12 + [1] * 18).held_out
    assert held.value == 0.6
    assert held.row_losses.tolist() == [1.0] * 12 + [0.0] * 18
    balanced = Statistics(np.full(shape, 0.1), np.arange(30) % 3).held_out
    assert balanced.value == pytest.approx(1 / 3)


def test_without_features_the_mean_of_the_others_is_the_answer_for_numbers():
    numbers = np.array([1.0, 2.0, 6.0])
    held = Statistics(np.ones((3, 2)), numbers, task="regression").held_out
    outputs = (numbers.sum() - numbers) / 2
    assert held.value == pytest.approx(1 - np.mean((outputs - numbers) ** 2) / numbers.var())


@pytest.mark.parametrize("intercept", [True, False])
@pytest.mark.parametrize(("n", "d"), [(40, 6), (14, 30)])
def test_folds_are_refits_on_the_others(n, d, intercept):
    features, labels = class_input(n, d)
    columns = np.eye(3)[labels]
    folds = np.arange(n) % 4
    penalties = np.array([0.01, 1.0, 100.0])
    held = held_out_folds(features, class_targets(labels, n), folds, penalties, intercept=intercept)
    for i, penalty in enumerate(penalties):
        outputs = held_out_outputs(features, columns, folds, penalty, intercept)
        assert held.errors[i] == pytest.approx(np.mean((outputs - columns) ** 2), rel=1e-9)
        assert (held.losses[i] == (outputs.argmax(axis=1) != labels)).all()


@pytest.mark.parametrize("intercept", [True, False])
@pytest.mark.parametrize(("n", "d"), [(40, 6), (14, 30)])
def test_folds_agree_with_scikit_learn(n, d, intercept):
    from sklearn.linear_model import Ridge
    from sklearn.model_selection import PredefinedSplit, cross_val_predict

    features, _ = class_input(n, d)
    numbers = features[:, :2] + np.random.default_rng(0).normal(size=(n, 2))
    folds = np.arange(n) % 3
    theirs = cross_val_predict(
        Ridge(alpha=2.0, fit_intercept=intercept), features, numbers, cv=PredefinedSplit(folds)
    )
    held = held_out_folds(
        features, real_targets(numbers, n), folds, np.array([2.0]), intercept=intercept
    )
    assert held.errors[0] == pytest.approx(np.mean((theirs - numbers) ** 2), rel=1e-9)
    expected = 1 - np.mean(np.mean((theirs - numbers) ** 2, axis=0) / numbers.var(axis=0))
    assert held.value == pytest.approx(expected, rel=1e-9)


def test_folds_of_one_row_are_leave_one_out():
    features, labels = class_input(20, 4)
    statistics = Statistics(features, labels)
    path = statistics.held_out.penalties[:-1]
    held = held_out_folds(features, statistics.targets, np.arange(20), path)
    np.testing.assert_allclose(held.errors, statistics.held_out.errors[:-1], rtol=1e-8)


def test_a_constant_output_counts_for_nothing():
    features, _ = class_input(30, 4)
    numbers = features[:, :1] + np.random.default_rng(0).normal(size=(30, 1))
    alone = Statistics(features, numbers, task="regression").held_out
    with_constant = np.hstack([numbers, np.full((30, 1), 0.1)])
    beside = Statistics(features, with_constant, task="regression").held_out
    assert beside.value == pytest.approx(alone.value, rel=1e-12)


@pytest.mark.parametrize(
    ("folds", "message"),
    [
        ([0, 1], "`folds` must have shape (20,); got (2,)."),
        ([3] * 20, "`folds` must name at least two folds; all rows are in one."),
    ],
)
def test_folds_that_hold_nothing_out(folds, message):
    features, labels = class_input(20, 4)
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        held_out_folds(features, class_targets(labels, 20), np.array(folds), np.array([1.0]))


def test_a_penalty_lost_in_rounding_is_refused():
    features = np.repeat(np.arange(20.0)[:, None], 3, axis=1) * 1e6
    message = (
        "The penalty 1e-30 is too small beside features of scatter 2.48e+14: "
        "the ridge solution is lost in rounding. Use a larger one."
    )
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        held_out_folds(
            features, class_targets(np.arange(20) % 2, 20), np.arange(20) // 10, np.array([1e-30])
        )
