"""Tests of `transferscore.scores.logistic_probe`."""

from __future__ import annotations

import re

import numpy as np
import pytest

from tests.reference.inputs import CLASS_INPUTS, class_input
from tests.reference.logistic_probe import logistic_probe as slow_probe
from transferscore.errors import InputError
from transferscore.scores import logistic_probe as module
from transferscore.scores.logistic_probe import logistic_probe
from transferscore.statistics import Statistics
from transferscore.statistics.folds import stratified_folds

SHARES = np.logspace(-2, -6, 5)


@pytest.mark.parametrize("example", CLASS_INPUTS, ids=lambda example: example.name)
def test_agrees_with_scikit_learn_on_the_same_folds(example):
    statistics = Statistics(example.features, example.labels)
    folds = stratified_folds(statistics, 4, seed=3)
    expected = slow_probe(example.features, example.labels, folds, SHARES)
    assert logistic_probe(example.features, example.labels, n_folds=4, seed=3) == expected
    assert logistic_probe(example.features, example.labels, folds=folds) == expected


def test_the_penalty_is_chosen_on_the_first_folds_where_they_are_large(monkeypatch):
    features, labels = class_input(200, 10)
    fits: list[int] = []
    held_out = module._held_out
    monkeypatch.setattr(module, "_ROWS_TO_CHOOSE", 60)
    monkeypatch.setattr(module, "_held_out", lambda *a: fits.append(len(a[3])) or held_out(*a))
    value = logistic_probe(features, labels, n_folds=5)
    assert fits == [5, 5, 1, 1, 1]
    monkeypatch.undo()
    assert value == pytest.approx(logistic_probe(features, labels, n_folds=5), abs=0.05)


def test_single_precision_and_an_early_stop_do_no_harm(monkeypatch):
    features, labels = class_input(300, 20)
    exact = logistic_probe(features, labels)
    monkeypatch.setattr(module, "_SMALL", 0)
    assert logistic_probe(features, labels) == pytest.approx(exact, abs=0.02)


def test_noise_stands_at_the_share_of_the_largest_class():
    rng = np.random.default_rng(0)
    labels = np.repeat([0, 1, 2], [60, 30, 10])
    for d in (5, 20, 100, 500):
        values = [logistic_probe(rng.normal(size=(100, d)), labels) for _ in range(4)]
        assert np.mean(values) == pytest.approx(0.6, abs=0.06)


def test_groups_kept_together_are_not_recognised():
    """Ten copies of each row: told apart by their copies, not by their features."""
    rng = np.random.default_rng(0)
    features = np.repeat(rng.normal(size=(20, 40)), 10, axis=0)
    labels = np.repeat(rng.permutation(20) % 2, 10)
    assert logistic_probe(features, labels) == 1.0
    assert logistic_probe(features, labels, folds=np.repeat(np.arange(20) % 5, 10)) < 0.75


def test_default_folds_are_ten_for_few_rows():
    features, labels = class_input(60, 6)
    assert logistic_probe(features, labels) == logistic_probe(features, labels, n_folds=10)


@pytest.mark.parametrize(
    ("keywords", "message"),
    [
        ({"n_folds": 1}, "`n_folds` must be at least 2; got 1."),
        ({"folds": np.zeros(19)}, "`folds` must have shape (20,); got (19,)."),
        ({"folds": np.zeros(20)}, "`folds` must name at least two folds; all rows are in one."),
    ],
)
def test_folds_that_hold_nothing_out_are_refused(keywords, message):
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        logistic_probe(*class_input(20, 4), **keywords)
