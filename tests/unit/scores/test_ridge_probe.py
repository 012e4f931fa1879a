"""Tests of `transferscore.scores.ridge_probe`."""

from __future__ import annotations

import re

import numpy as np
import pytest

from tests.reference.inputs import class_input, indicators
from tests.reference.ridge import held_out_outputs
from transferscore.errors import InputError
from transferscore.scores.ridge_probe import ridge_probe


@pytest.mark.parametrize(("n", "d"), [(40, 6), (14, 30)])
def test_it_is_the_best_leave_one_out_accuracy_of_the_path(n, d):
    features, labels = class_input(n, d)
    total = np.sum((features - features.mean(axis=0)) ** 2)
    accuracies = []
    for penalty in total * np.logspace(-6, 0, 13):
        outputs = held_out_outputs(features, indicators(labels), np.arange(n), penalty)
        accuracies.append(np.mean(outputs.argmax(axis=1) == labels))
    largest_share = np.bincount(labels).max() / n
    assert ridge_probe(features, labels) == pytest.approx(max(*accuracies, largest_share))


@pytest.mark.parametrize("intercept", [True, False])
def test_with_folds_and_penalties_it_is_k_fold_accuracy(intercept):
    features, labels = class_input(40, 6)
    folds = np.arange(40) % 4
    outputs = held_out_outputs(features, indicators(labels), folds, 3.0, intercept)
    value = ridge_probe(features, labels, folds=folds, penalties=3.0, intercept=intercept)
    assert value == np.mean(outputs.argmax(axis=1) == labels)


def test_with_folds_alone_the_path_is_searched():
    features, labels = class_input(40, 6)
    folds = np.arange(40) % 4
    total = np.sum((features - features.mean(axis=0)) ** 2)
    path = total * np.logspace(-6, 0, 13)
    each = [ridge_probe(features, labels, folds=folds, penalties=penalty) for penalty in path]
    assert ridge_probe(features, labels, folds=folds) == max(each)


def test_r2_is_averaged_over_outputs():
    features, _ = class_input(40, 6)
    numbers = features[:, :2] + np.random.default_rng(0).normal(size=(40, 2)) * [0.1, 3.0]
    folds = np.arange(40) % 4
    outputs = held_out_outputs(features, numbers, folds, 1.0)
    expected = 1 - np.mean(np.mean((outputs - numbers) ** 2, axis=0) / numbers.var(axis=0))
    value = ridge_probe(features, numbers, folds=folds, penalties=1.0, task="regression")
    assert value == pytest.approx(expected, rel=1e-9)


def test_scale_rotation_and_shift_change_nothing():
    features, labels = class_input(40, 6)
    rotation = np.linalg.qr(np.random.default_rng(0).normal(size=(6, 6)))[0]
    moved = features @ rotation * 1e3 + 50.0
    assert ridge_probe(moved, labels) == ridge_probe(features, labels)


@pytest.mark.parametrize("shape", [(60, 4), (60, 90)])
def test_constant_features_leave_the_share_of_the_largest_class(shape):
    assert ridge_probe(np.full(shape, 0.1), [0] * 45 + [1] * 15) == 0.75
    assert ridge_probe(np.full(shape, 0.1), np.arange(60) % 4) == 0.25


@pytest.mark.parametrize("d", [3, 12, 60, 300])
def test_noise_does_not_fall_below_the_largest_class(d):
    features = np.random.default_rng(d).normal(size=(60, d))
    assert 0.25 <= ridge_probe(features, np.arange(60) % 4) <= 0.5


def test_a_class_for_each_sample_cannot_be_predicted():
    features, _ = class_input(20, 6)
    assert ridge_probe(features, np.arange(20)) == pytest.approx(1 / 20)


@pytest.mark.parametrize("penalties", [0.0, -1.0, [1.0, 0.0], [[1.0]]])
def test_penalties_that_are_not_positive_numbers(penalties):
    features, labels = class_input(20, 4)
    message = f"`penalties` must be positive numbers; got {penalties!r}."
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        ridge_probe(features, labels, folds=np.arange(20) % 2, penalties=penalties)


def test_folds_of_another_length_are_refused():
    features, labels = class_input(20, 4)
    message = "`folds` must have shape (20,); got (19,)."
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        ridge_probe(features, labels, folds=np.zeros(19))
