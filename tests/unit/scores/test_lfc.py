"""Tests of `transferscore.scores.lfc`."""

from __future__ import annotations

import re

import numpy as np
import pytest

from tests.reference.cka import cka as slow_cka
from tests.reference.inputs import CLASS_INPUTS, INPUTS, class_input
from tests.reference.lfc import adjusted_lfc
from tests.reference.lfc import lfc as slow_lfc
from transferscore.errors import InputError
from transferscore.scores.lfc import lfc


@pytest.mark.parametrize("example", CLASS_INPUTS, ids=lambda example: example.name)
def test_agrees_with_the_kernels(example):
    expected = slow_lfc(example.features, example.labels)
    assert lfc(example.features, example.labels) == pytest.approx(expected, rel=1e-8)


@pytest.mark.parametrize(
    "example",
    [each for each in INPUTS if each.task != "classification"],
    ids=lambda example: example.name,
)
def test_of_numbers_it_is_debiased_alignment(example):
    spread = example.labels.std(axis=0)
    value = lfc(example.features, example.labels, task=example.task)
    centered = example.features - example.features.mean(axis=0)
    expected = slow_cka(centered, (example.labels - example.labels.mean(axis=0)) / spread, True)
    assert value == pytest.approx(expected, rel=1e-8, abs=1e-10)


@pytest.mark.parametrize("shape", [(6, 2), (6, 9)])
@pytest.mark.parametrize("labels", [[0, 0, 1, 1, 2, 2], [0, 0, 0, 0, 0, 1]])
def test_chance_is_the_mean_over_all_orders_of_the_labels(shape, labels):
    features = np.random.default_rng(0).normal(size=shape) + 0.7
    features[:, 0] += np.array(labels)
    expected = adjusted_lfc(features, np.array(labels))
    assert lfc(features, labels, adjusted=True) == pytest.approx(expected, abs=1e-10)


@pytest.mark.parametrize("scale", [1e-60, 1e60])
@pytest.mark.parametrize("task", ["classification", "regression"])
def test_extreme_scales_change_nothing(scale, task):
    features, labels = class_input(40, 6)
    value = lfc(features, labels, task=task)
    assert lfc(features * scale, labels, task=task) == pytest.approx(value, rel=1e-10)


@pytest.mark.parametrize("d", [3, 12, 60, 300])
def test_noise_stands_at_the_chance_level_stated(d):
    rng, labels = np.random.default_rng(d), np.arange(60) % 4
    draws = [rng.normal(size=(60, d)) + 1.0 for _ in range(30)]
    for values in (
        [lfc(features, labels, adjusted=True) for features in draws],
        [lfc(features, rng.normal(size=(60, 2)), task="regression") for features in draws],
    ):
        assert abs(np.mean(values)) < 4 * np.std(values) / np.sqrt(len(values))
    if d == 300:
        assert np.mean([lfc(x, labels) for x in draws]) == pytest.approx((3 / 60) ** 0.5, rel=0.5)


@pytest.mark.parametrize("shape", [(60, 4), (20, 50)])
@pytest.mark.parametrize("constant", [0.0, 0.1, 1e8 + 0.1])
def test_constant_features_have_nothing_in_common_with_labels(shape, constant):
    features, labels = np.full(shape, constant), np.arange(shape[0]) % 3
    assert lfc(features, labels) == lfc(features, labels, adjusted=True) == 0.0
    assert lfc(features, labels, task="regression") == 0.0


def test_three_numbers_are_too_few():
    message = "LFC of numbers is debiased CKA and needs at least 4 samples; got 3."
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        lfc([[0.0], [1.0], [2.0]], [0.0, 1.0, 3.0], task="regression")


def test_a_single_row_that_stands_out_is_warned_of():
    features, _ = class_input(30, 4)
    message = (
        "Debiased CKA is undefined and was set to 0: the samples show no structure beyond a few "
        "single rows, in one view at least."
    )
    with pytest.warns(RuntimeWarning, match=f"^{re.escape(message)}$"):
        assert lfc(features, np.arange(30.0) == 3, task="regression") == 0.0
