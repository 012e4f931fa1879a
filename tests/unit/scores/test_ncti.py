"""Tests of the three scores that `transferscore.scores.ncti` serves."""

from __future__ import annotations

import re
import warnings

import numpy as np
import pytest

from tests.reference.inputs import CLASS_INPUTS, class_input
from tests.reference.ncti import ncti as slow_ncti
from transferscore.errors import InputError
from transferscore.scores.ncti_feature_nuclear_norm import ncti_feature_nuclear_norm
from transferscore.scores.ncti_log_class_nuclear_norm import ncti_log_class_nuclear_norm
from transferscore.scores.ncti_mean_posterior import ncti_mean_posterior

TERMS = (ncti_feature_nuclear_norm, ncti_mean_posterior, ncti_log_class_nuclear_norm)

# Where n - K is below the rank, the covariance within classes is exactly singular.
REGULAR = [each for each in CLASS_INPUTS if each.name not in {"n < d", "n = d", "a scale of 1e-6"}]


def quiet(score, *arguments) -> float:
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", ".*whatever the labels", RuntimeWarning)
        return score(*arguments)


def check(features, labels):
    norm, posterior, class_norm = slow_ncti(features, labels)
    values = [quiet(term, features, labels) for term in TERMS]
    assert values == pytest.approx([norm, posterior, -class_norm], rel=1e-7)


@pytest.mark.parametrize("example", REGULAR, ids=lambda example: example.name)
def test_agrees_with_singular_values_of_the_features(example):
    check(example.features, example.labels)


@pytest.mark.parametrize("shape", [(200, 80), (90, 120), (14, 30)])
@pytest.mark.parametrize("scale", [0.03, 0.1])
def test_shrinkage(shape, scale):
    features, labels = class_input(*shape)
    check(features * scale, labels)


def test_only_64_components_count():
    features, labels = class_input(300, 80)
    rows = features - features.mean(axis=0)
    left, sizes, _ = np.linalg.svd(rows, full_matrices=False)
    kept = (left * sizes)[:, :64]
    for term in TERMS:
        value = quiet(term, features * 0.1, labels)
        assert value == pytest.approx(quiet(term, kept * 0.1, labels), rel=1e-9)


@pytest.mark.parametrize("shape", [(60, 4), (20, 50)])
def test_constant_features(shape):
    features, labels = np.full(shape, 0.1), np.arange(shape[0]) % 4
    assert ncti_feature_nuclear_norm(features, labels) == 0.0
    assert ncti_mean_posterior(features, labels) == pytest.approx(0.25, rel=1e-12)
    # Posteriors that are all alike: one singular value a class.
    expected = -np.log(4 * np.sqrt(shape[0] / 4 * 4 / 16))
    assert ncti_log_class_nuclear_norm(features, labels) == pytest.approx(expected, rel=1e-12)


def test_certain_posteriors_have_one_singular_value_a_class():
    labels = np.repeat([0, 1, 2], [9, 16, 25])
    features = 100.0 * np.eye(3)[labels] + np.random.default_rng(0).normal(size=(50, 3))
    expected = -np.log(3 + 4 + 5)
    assert ncti_log_class_nuclear_norm(features, labels) == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("ratio", [0.2, 1.0, 5.0, 20.0])
def test_noise_stands_where_it_is_said_to(ratio):
    rng, labels = np.random.default_rng(0), np.arange(60) % 4
    draws = [rng.normal(size=(60, round(60 / ratio))) for _ in range(10)]
    norms, posteriors, classes = ([quiet(term, x, labels) for x in draws] for term in TERMS)
    assert min(norms) > np.sqrt(60) * 3
    assert 0.25 < np.mean(posteriors) <= 1.0
    assert -0.5 * np.log(60 * 4 * 4) < min(classes) <= max(classes) < -0.5 * np.log(15)
    if ratio == 20.0:
        assert max(norms) < 1.1 * np.sqrt(60) * 3


@pytest.mark.parametrize(
    ("term", "name"),
    [
        (ncti_feature_nuclear_norm, "NCTI's nuclear norm"),
        (ncti_mean_posterior, "NCTI's posterior"),
        (ncti_log_class_nuclear_norm, "NCTI's class norm"),
    ],
)
def test_few_samples_are_warned_of(term, name):
    features = np.random.default_rng(0).normal(size=(60, 300))
    message = (
        f"{name} is as good as perfect whatever the labels: it is the fit to 60 samples along 59 "
        "directions. Use lda, which is held out."
    )
    with pytest.warns(RuntimeWarning, match=f"^{re.escape(message)}$"):
        term(features, np.arange(60) % 4)


@pytest.mark.parametrize("d", [5, 60, 300])
@pytest.mark.parametrize("n_classes", [2, 6])
def test_noise_stands_at_zero_once_shuffles_are_taken_off(d, n_classes):
    rng, labels = np.random.default_rng(d), np.arange(90) % n_classes
    draws = [
        quiet(_shuffled_class_norm, rng.normal(size=(90, d)), rng.permutation(labels))
        for _ in range(12)
    ]
    assert abs(np.mean(draws)) < 0.05
    good = 3.0 * np.eye(6, max(d, 6))[labels][:, :d] + rng.normal(size=(90, d))
    plain = quiet(ncti_log_class_nuclear_norm, good, labels)
    assert quiet(_shuffled_class_norm, good, labels) != plain


def _shuffled_class_norm(features, labels) -> float:
    return ncti_log_class_nuclear_norm(features, labels, n_shuffles=10)


def test_a_negative_number_of_shuffles_is_refused():
    features, labels = class_input(20, 4)
    with pytest.raises(InputError, match=r"`n_shuffles` must not be negative; got -1."):
        ncti_log_class_nuclear_norm(features, labels, n_shuffles=-1)
