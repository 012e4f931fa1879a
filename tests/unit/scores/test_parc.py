"""Tests of `transferscore.scores.parc`."""

from __future__ import annotations

import re

import numpy as np
import pytest

from tests.reference.inputs import CLASS_INPUTS, class_input
from tests.reference.parc import parc as slow_parc
from transferscore.scores import parc as module
from transferscore.scores.parc import parc

FLAT = "PARC is undefined, and given as 0: all pairs of features are equally unlike."
DEFINED = [example for example in CLASS_INPUTS if example.features.shape[1] > 1]


@pytest.mark.parametrize("example", DEFINED, ids=lambda example: example.name)
def test_agrees_with_one_pair_at_a_time(example):
    value = parc(example.features, example.labels, n_components=None)
    assert value == pytest.approx(slow_parc(example.features, example.columns), rel=1e-8)


def test_agrees_on_multilabel():
    features, labels = class_input(30, 6)
    columns = np.column_stack([labels > 0, labels > 1, np.arange(30) % 2]).astype(float)
    value = parc(features, columns, task="multilabel")
    assert value == pytest.approx(slow_parc(features, columns), rel=1e-8)


def test_principal_components_are_taken_where_there_are_more_features():
    features, labels = class_input(60, 40)
    centered = features - features.mean(axis=0)
    right = np.linalg.svd(centered, full_matrices=False)[2]
    expected = slow_parc(centered @ right[:7].T, np.eye(3)[labels])
    assert parc(features, labels, n_components=7) == pytest.approx(expected, rel=1e-8)
    assert parc(features, labels, n_components=40) == parc(features, labels, n_components=None)


def test_directions_of_rounding_noise_are_left_out():
    features, labels = class_input(60, 4)
    wide = features @ np.random.default_rng(0).normal(size=(4, 50))
    assert parc(wide, labels) == pytest.approx(parc(wide, labels, n_components=4), rel=1e-9)


def test_beyond_the_price_of_signs_the_largest_entry_points_up(monkeypatch):
    features, labels = class_input(60, 40)
    monkeypatch.setattr(module, "_LARGEST_DECOMPOSITION", 0)
    centered = features - features.mean(axis=0)
    right = np.linalg.svd(centered, full_matrices=False)[2][:7]
    right *= np.sign(right[np.arange(7), np.abs(right).argmax(axis=1)])[:, None]
    expected = slow_parc(centered @ right.T, np.eye(3)[labels])
    value = parc(features, labels, n_components=7)
    assert value == pytest.approx(expected, rel=1e-8)
    order = np.random.default_rng(0).permutation(60)
    assert parc(features[order], labels[order], n_components=7) == pytest.approx(value, rel=1e-9)


def test_blocks_change_nothing(monkeypatch):
    features, labels = class_input(40, 6)
    whole = parc(features, labels)
    monkeypatch.setattr(module.row_blocks, "__defaults__", (8 * 40 * 7,))
    assert parc(features, labels) == whole


def test_more_samples_than_are_compared_are_sampled_and_it_is_said():
    features, labels = class_input(300, 6)
    message = (
        "PARC compares 200 of the 300 samples, drawn with seed 1: its cost goes with their square. "
        "Pass max_samples to change that."
    )
    with pytest.warns(RuntimeWarning, match=f"^{re.escape(message)}$"):
        value = parc(features, labels, max_samples=200, seed=1)
    assert value == pytest.approx(parc(features, labels), abs=4.0)
    assert value != parc(features, labels)


@pytest.mark.parametrize("d", [2, 40])
def test_features_that_do_not_vary_say_nothing(d):
    with pytest.warns(RuntimeWarning) as caught:
        assert parc(np.ones((20, d)), np.arange(20) % 2) == 0.0
    assert str(caught[-1].message) == FLAT


def test_one_feature_correlates_with_nothing():
    with pytest.warns(RuntimeWarning) as caught:
        assert parc(np.arange(20.0)[:, None], np.arange(20) % 2) == 0.0
    assert str(caught[0].message) == (
        "PARC is undefined for 20 of 20 samples, whose standardised features are all equal; "
        "they count as uncorrelated with every other."
    )


def test_a_class_for_every_sample_leaves_nothing_to_rank():
    message = "PARC is undefined, and given as 0: all pairs of labels are equally unlike."
    with pytest.warns(RuntimeWarning, match=f"^{re.escape(message)}$"):
        assert parc(class_input(12, 5)[0], np.arange(12)) == 0.0


@pytest.mark.parametrize(("n", "d"), [(60, 300), (60, 60), (60, 12), (60, 3)])
def test_noise_stands_at_zero(n, d):
    rng = np.random.default_rng(0)
    values = [parc(rng.normal(size=(n, d)), np.arange(n) % 4) for _ in range(20)]
    assert np.mean(values) == pytest.approx(0.0, abs=0.8)
