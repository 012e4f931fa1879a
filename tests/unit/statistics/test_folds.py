"""Tests of `transferscore.statistics.folds`."""

from __future__ import annotations

import numpy as np
import pytest

from tests.reference.inputs import class_input
from transferscore.statistics import Statistics
from transferscore.statistics.folds import stratified_folds


def folds_of(features, labels, n_folds=5, seed=0):
    return stratified_folds(Statistics(features, labels), n_folds, seed)


def test_classes_and_sizes_are_spread_evenly():
    features, labels = class_input(103, 6, n_classes=4)
    folds = folds_of(features, labels)
    assert set(np.bincount(folds)) == {20, 21}
    table = np.array([np.bincount(folds[labels == c], minlength=5) for c in range(4)])
    assert np.ptp(table, axis=1).max() <= 2


@pytest.mark.parametrize("shape", [(40, 6), (20, 50), (30, 1)])
def test_they_move_with_the_samples_and_with_nothing_else(shape):
    features, labels = class_input(*shape)
    expected = folds_of(features, labels)
    order = np.random.default_rng(0).permutation(len(labels))
    assert (folds_of(features[order], labels[order]) == expected[order]).all()
    assert (folds_of(features, 2 - labels) == expected).all()
    assert (folds_of(-3e50 * features, labels) == expected).all()
    assert (folds_of(features + 7.0, labels) == expected).all()


def test_another_seed_gives_other_folds():
    features, labels = class_input(40, 6)
    assert (folds_of(features, labels, seed=1) != folds_of(features, labels)).any()
    assert (folds_of(features, labels) == folds_of(features, labels)).all()


def test_classes_of_one_sample_fall_in_different_folds():
    features = np.random.default_rng(0).normal(size=(10, 3))
    assert (np.bincount(folds_of(features, np.arange(10))) == 2).all()
