"""Tests of `transferscore.scores.nleep`."""

from __future__ import annotations

import re

import numpy as np
import pytest

from tests.reference.inputs import CLASS_INPUTS, class_input
from tests.reference.nleep import nleep as slow_nleep
from transferscore.errors import InputError
from transferscore.scores.nleep import nleep

# At a scale of 1e6 rounding exceeds the ridge of scikit-learn's mixture, which then gives up.
FITTED = [example for example in CLASS_INPUTS if example.name != "a scale of 1e6"]


@pytest.mark.parametrize("n_components", [2, 4, 7])
@pytest.mark.parametrize("example", FITTED, ids=lambda example: example.name)
def test_agrees_with_the_mixtures_of_scikit_learn(example, n_components):
    value = nleep(example.features, example.labels, components=n_components, seed=1)
    expected = slow_nleep(example.features, example.labels, n_components, 1, log=True)
    assert value == pytest.approx(expected, rel=1e-6, abs=1e-9)


@pytest.mark.parametrize(
    ("components", "n", "expected"),
    [
        ("tenth", 60, 6),
        ("tenth", 12, 2),
        ("tenth", 20, 3),
        ("tenth", 4, 1),
        ("five_per_class", 60, 15),
        ("five_per_class", 12, 12),
        (500, 12, 12),
    ],
)
def test_how_many_components(components, n, expected):
    features, labels = class_input(n, 4, n_classes=3)
    assert nleep(features, labels, components=components) == nleep(
        features, labels, components=expected
    )


def test_without_the_logarithm_it_is_a_mean_probability():
    features, labels = class_input(60, 4)
    value = nleep(features, labels, components="five_per_class", log=False)
    expected = slow_nleep(features, labels, 15, 0, log=False)
    assert value == pytest.approx(expected, rel=1e-9)
    assert 0.0 < value < 1.0


def test_one_component_knows_the_shares_of_the_classes_only():
    features, labels = class_input(60, 4)
    assert nleep(features, labels, components=1) == pytest.approx(-np.log(3), rel=1e-9)


def test_more_samples_than_are_fitted_are_sampled_and_it_is_said():
    features, labels = class_input(300, 4)
    message = (
        "N-LEEP fits 100 of the 300 samples, drawn with seed 0: its cost goes with their square. "
        "Pass max_samples to change that."
    )
    with pytest.warns(RuntimeWarning, match=f"^{re.escape(message)}$"):
        value = nleep(features, labels, max_samples=100)
    assert value == pytest.approx(nleep(features, labels), abs=0.5)


@pytest.mark.parametrize("components", ["many", 0, -3])
def test_components_that_are_none_are_refused(components):
    message = (
        "`components` must be 'tenth', 'five_per_class' or a number of at least 1; "
        f"got {components!r}."
    )
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        nleep(*class_input(20, 4), components=components)


@pytest.mark.parametrize("ratio", [0.2, 1.0, 5.0, 20.0])
def test_noise_stands_above_the_entropy_of_the_labels(ratio):
    rng, n = np.random.default_rng(0), 200
    values = [nleep(rng.normal(size=(n, round(n / ratio))), np.arange(n) % 2) for _ in range(5)]
    assert -np.log(2) < np.mean(values) < -np.log(2) + 0.2
