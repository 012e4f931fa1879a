"""Tests of `transferscore.scores.gbc`."""

from __future__ import annotations

import re
import warnings

import numpy as np
import pytest

from tests.reference.gbc import gbc as slow_gbc
from tests.reference.inputs import CLASS_INPUTS, class_input
from transferscore.errors import InputError
from transferscore.scores.gbc import COVARIANCES, gbc


def quiet_gbc(*arguments, **options) -> float:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        return gbc(*arguments, **options)


@pytest.mark.parametrize("covariance", ["spherical", "diagonal"])
@pytest.mark.parametrize("example", CLASS_INPUTS, ids=lambda example: example.name)
def test_agrees_with_one_pair_at_a_time(example, covariance):
    value = quiet_gbc(example.features, example.labels, covariance=covariance)
    expected = slow_gbc(example.features, example.labels, covariance)
    assert value == pytest.approx(expected, rel=1e-8, abs=1e-12)


@pytest.mark.parametrize("name", ["n > d", "d = 1", "far from the origin", "two classes"])
def test_full_covariances(name):
    example = next(each for each in CLASS_INPUTS if each.name == name)
    value = gbc(example.features, example.labels, covariance="full")
    expected = slow_gbc(example.features, example.labels, "full")
    assert value == pytest.approx(expected, rel=1e-8)


@pytest.mark.parametrize("shape", [(200, 30), (40, 90)])
@pytest.mark.parametrize("covariance", COVARIANCES)
def test_principal_components(shape, covariance):
    features, labels = class_input(*shape)
    value = quiet_gbc(features, labels, covariance=covariance, n_components=5)
    expected = slow_gbc(features, labels, covariance, n_components=5)
    assert value == pytest.approx(expected, rel=1e-8)


def test_there_is_no_reduction_up_to_64_rows_or_features():
    for shape in ((64, 90), (90, 64)):
        features, labels = class_input(*shape)
        assert quiet_gbc(features, labels) == quiet_gbc(features, labels, n_components=None)
    features, labels = class_input(65, 70)
    assert quiet_gbc(features, labels) != quiet_gbc(features, labels, n_components=None)


def test_dimensions_of_no_variance_count_in_the_volume():
    features, labels = class_input(200, 3)
    padded = np.hstack([features, np.zeros((200, 97))])
    assert quiet_gbc(padded, labels) == pytest.approx(
        slow_gbc(np.hstack([features, np.zeros((200, 61))]), labels, "spherical"), rel=1e-8
    )


@pytest.mark.parametrize("covariance", ["spherical", "diagonal"])
@pytest.mark.parametrize("shape", [(60, 4), (80, 100)])
def test_classes_that_coincide_overlap_fully(shape, covariance):
    features = np.full(shape, 0.1)
    assert quiet_gbc(features, np.arange(shape[0]) % 3, covariance=covariance) == -6.0


@pytest.mark.parametrize("covariance", ["spherical", "diagonal"])
def test_points_apart_and_points_beside_spreads_do_not_overlap(covariance):
    points = np.repeat([[0.0], [1.0]], 5, axis=0) + 0.1
    assert gbc(points, np.repeat([0, 1], 5), covariance=covariance) == 0.0
    spread = np.concatenate([np.full(5, 0.1), [0.0, 0.1, 0.2, 0.3]])[:, None]
    assert gbc(spread, np.repeat([0, 1], [5, 4]), covariance=covariance) == 0.0


def test_a_class_of_one_sample_takes_the_spread_of_the_others():
    features = np.array([[0.0], [1.0], [2.0], [3.0], [1.5]])
    message = (
        "1 of 3 classes have one sample and no spread of their own; they take the pooled spread "
        "of the others."
    )
    with pytest.warns(RuntimeWarning, match=f"^{re.escape(message)}$"):
        value = gbc(features, [0, 0, 1, 1, 2])
    # All three variances are 0.5, so that only the gaps of 2, 1 and 1 tell.
    assert value == pytest.approx(-2 * (np.exp(-1.0) + 2 * np.exp(-0.25)), rel=1e-12)


def test_a_class_for_each_sample():
    message = "Every class has one sample, so GBC is 0, its best, unless features coincide."
    with pytest.warns(RuntimeWarning, match=f"^{re.escape(message)}$"):
        assert gbc([[0.0], [1.0], [2.0]], [0, 1, 2]) == 0.0


def test_small_classes_are_warned_of_and_noise_is_near_zero_there():
    features = np.random.default_rng(0).normal(size=(80, 100))
    message = (
        "GBC is near 0, its best, whatever the labels: in 64 dimensions classes of 4 samples on "
        "average would overlap by 0.018 were they all alike. Use lda, which is held out."
    )
    with pytest.warns(RuntimeWarning, match=f"^{re.escape(message)}$"):
        value = gbc(features, np.arange(80) % 20)
    assert -0.1 * 380 < value < 0.0


def test_singular_full_covariances_are_warned_of():
    features, labels = class_input(20, 9)
    message = (
        "3 classes have no more samples than the 9 dimensions, or do not vary in some: their full "
        "covariances are singular and they count as overlapping with none. Use "
        "covariance='spherical'."
    )
    with pytest.warns(RuntimeWarning, match=f"^{re.escape(message)}$"):
        assert gbc(features, labels, covariance="full") == 0.0


@pytest.mark.parametrize(("n", "d"), [(60, 3), (60, 12), (60, 60), (400, 20), (400, 400)])
def test_noise_stands_at_the_chance_level_stated(n, d):
    rng, labels = np.random.default_rng(d), np.arange(n) % 4
    values = [quiet_gbc(rng.normal(size=(n, d)), labels) for _ in range(30)]
    width = 64 if min(n, d) > 64 else d
    assert np.mean(values) == pytest.approx(-12 * np.exp(-width * 8 / n / 8), rel=0.05)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"covariance": "tied"},
            "`covariance` must be one of spherical, diagonal, full; got 'tied'.",
        ),
        ({"n_components": 0}, "`n_components` must be at least 1; got 0."),
    ],
)
def test_options_out_of_range(options, message):
    features, labels = class_input(20, 4)
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        gbc(features, labels, **options)
