"""Tests of `transferscore.scores.transrate`."""

from __future__ import annotations

import re

import numpy as np
import pytest

from tests.reference.inputs import CLASS_INPUTS, class_input
from tests.reference.transrate import transrate as slow_transrate
from transferscore.errors import InputError
from transferscore.scores.transrate import VARIANTS, transrate


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("example", CLASS_INPUTS, ids=lambda example: example.name)
def test_agrees_with_the_singular_values_of_each_class(example, variant):
    value = transrate(example.features, example.labels, variant=variant)
    expected = slow_transrate(example.features, example.labels, variant)
    assert value == pytest.approx(expected, rel=1e-8, abs=1e-10)


@pytest.mark.parametrize("eps", [1e-8, 1.0])
def test_precision_is_the_callers_choice(eps):
    features, labels = class_input(40, 6)
    expected = slow_transrate(features, labels, "tllib", eps)
    assert transrate(features, labels, eps=eps) == pytest.approx(expected, rel=1e-8)


def test_only_the_normalised_variant_is_free_of_scale():
    features, labels = class_input(40, 6)
    for variant, free in {"tllib": False, "paper": False, "normalised": True}.items():
        ratio = transrate(features * 100, labels, variant=variant) / transrate(
            features, labels, variant=variant
        )
        assert (abs(ratio - 1.0) < 1e-8) == free


def test_class_sizes_weigh_in_the_paper_and_not_in_the_library():
    features, _ = class_input(40, 6)
    equal, unequal = np.arange(40) % 2, (np.arange(40) < 30).astype(int)
    assert transrate(features, equal, variant="paper") == pytest.approx(
        transrate(features, equal), rel=1e-12
    )
    assert transrate(features, unequal, variant="paper") != pytest.approx(
        transrate(features, unequal), rel=1e-3
    )


pytestmark = pytest.mark.filterwarnings("ignore:TransRate is .* drawn at random:RuntimeWarning")


@pytest.mark.parametrize("n_classes", [2, 6])
@pytest.mark.parametrize("d", [3, 12, 60, 300])
@pytest.mark.parametrize("variant", VARIANTS)
def test_the_adjusted_value_of_noise_is_zero(d, n_classes, variant):
    rng, labels = np.random.default_rng(d), np.arange(120) % n_classes
    labels[:10] = 0
    noise = rng.normal(size=(120, d)) * np.logspace(0, -2, d)
    draws = [rng.permutation(labels) for _ in range(20)]
    values = np.array([transrate(noise, drawn, variant=variant) for drawn in draws])
    left = [transrate(noise, drawn, variant=variant, adjusted=True) for drawn in draws]
    # What is taken off is the same for every order of the labels.
    assert np.ptp(values - left) < 1e-9
    assert abs(np.mean(left)) < 0.1 * np.mean(values) + 0.05


def test_features_that_tell_classes_apart_are_worth_more_than_noise():
    features, labels = class_input(60, 12)
    shuffled = np.random.default_rng(0).permutation(labels)
    good = transrate(features, labels, adjusted=True)
    assert good > 5 * abs(transrate(features, shuffled, adjusted=True))


def test_a_value_that_is_mostly_chance_is_warned_of():
    rng, labels = np.random.default_rng(0), np.arange(60) % 4
    message = r"^TransRate is .*, and .* for classes drawn at random: they have "
    with pytest.warns(RuntimeWarning, match=message):
        transrate(rng.normal(size=(60, 100)), labels)


@pytest.mark.parametrize("d", [3, 12, 60, 300])
def test_noise_stands_above_zero(d):
    rng, labels = np.random.default_rng(d), np.arange(60) % 4
    values = [transrate(rng.normal(size=(60, d)), labels) for _ in range(10)]
    assert min(values) > 0.0
    features, labels = class_input(60, d)
    shuffled = [transrate(features, rng.permutation(labels)) for _ in range(10)]
    assert min(shuffled) > 0.0
    assert transrate(features, labels) > max(shuffled)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"eps": 0.0}, "`eps` must be positive; got 0.0."),
        ({"variant": "other"}, "`variant` must be one of tllib, paper, normalised; got 'other'."),
    ],
)
def test_options_out_of_range(options, message):
    features, labels = class_input(20, 4)
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        transrate(features, labels, **options)
