"""Tests of `transferscore.scores.lda`."""

from __future__ import annotations

import re
import warnings

import numpy as np
import pytest
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

from tests.reference.inputs import CLASS_INPUTS, class_input
from tests.reference.lda import lda as slow_lda
from transferscore.errors import InputError
from transferscore.scores.lda import lda
from transferscore.statistics.rows import row_blocks


@pytest.mark.parametrize("n_folds", [2, 5])
@pytest.mark.parametrize("example", CLASS_INPUTS, ids=lambda example: example.name)
def test_agrees_with_one_row_at_a_time(example, n_folds):
    value = lda(example.features, example.labels, n_folds=n_folds)
    expected = slow_lda(example.features, example.labels, n_folds)
    assert value == pytest.approx(expected, rel=1e-7)


@pytest.mark.parametrize("labels", [np.arange(12) // 2, np.r_[0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 3]])
@pytest.mark.parametrize("d", [3, 30])
def test_classes_of_two_and_of_one(labels, d):
    features = class_input(12, d)[0]
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "1 of 4 classes have one sample", RuntimeWarning)
        value = lda(features, labels)
    assert value == pytest.approx(slow_lda(features, labels), rel=1e-7)


def test_blocks_change_nothing(monkeypatch):
    features, labels = class_input(40, 6)
    whole = lda(features, labels)
    monkeypatch.setattr(row_blocks, "__defaults__", (8 * 6 * 3,))
    assert lda(features, labels) == pytest.approx(whole, rel=1e-10)


@pytest.mark.parametrize("d", [3, 12, 60, 300])
@pytest.mark.parametrize("n_classes", [4, 7, 20, 30])
def test_noise_stands_at_one_in_k_in_every_regime(d, n_classes):
    rng = np.random.default_rng(d)
    labels = np.arange(60 - 60 % n_classes) % n_classes
    values = [lda(rng.normal(size=(len(labels), d)), labels) for _ in range(20)]
    error = np.std(values) / np.sqrt(len(values))
    assert abs(np.mean(values) - 1 / n_classes) < 4 * error


def test_noise_of_unequal_classes_stands_between_what_is_stated():
    rng, labels = np.random.default_rng(0), np.repeat([0, 1, 2], [30, 20, 10])
    for d in (3, 300):
        values = [lda(rng.normal(size=(60, d)), labels) for _ in range(20)]
        assert 14 / 36 - 0.03 < np.mean(values) < 0.5 + 0.03


@pytest.mark.parametrize("shape", [(60, 4), (60, 90)])
def test_classes_that_are_points_are_told_apart(shape):
    points = np.random.default_rng(0).normal(size=(3, shape[1]))[np.arange(60) % 3]
    assert lda(points, np.arange(60) % 3) == pytest.approx(1.0, abs=1e-9)


@pytest.mark.parametrize("shape", [(60, 4), (60, 90)])
@pytest.mark.parametrize("in_sample", [None, "no_shrinkage", "ledoit_wolf"])
def test_constant_features_leave_the_class_shares(shape, in_sample):
    value = lda(np.full(shape, 0.1), [0] * 45 + [1] * 15, in_sample=in_sample)
    assert value == pytest.approx(0.75**2 + 0.25**2, rel=1e-12)


def test_a_class_for_each_sample_cannot_be_told():
    features, _ = class_input(20, 6)
    message = (
        "20 of 20 classes have one sample, which LDA counts as 0: without it the class is unknown."
    )
    with pytest.warns(RuntimeWarning, match=f"^{re.escape(message)}$"):
        assert lda(features, np.arange(20)) == 0.0


@pytest.mark.parametrize(
    ("in_sample", "options"),
    [("no_shrinkage", {"solver": "svd"}), ("ledoit_wolf", {"solver": "lsqr", "shrinkage": "auto"})],
)
def test_in_sample_it_is_that_of_scikit_learn(in_sample, options):
    features, labels = class_input(200, 8)
    features[labels == 1, 3] = 0.1
    fitted = LinearDiscriminantAnalysis(**options).fit(features, labels)
    expected = fitted.predict_proba(features)[np.arange(200), labels].mean()
    assert lda(features, labels, in_sample=in_sample) == pytest.approx(expected, rel=1e-7)


def test_in_sample_noise_is_perfect_for_few_samples_and_a_warning_says_so():
    features = np.random.default_rng(0).normal(size=(30, 90))
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        value = lda(features, np.arange(30) % 3, in_sample="no_shrinkage")
    assert value == pytest.approx(1.0, abs=1e-6)
    assert str(caught[0].message) == (
        "LDA in sample is as good as perfect whatever the labels: it is the fit to 30 samples "
        "along 29 directions. Use lda, which is held out."
    )


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"n_folds": 1}, "`n_folds` must be at least 2; got 1."),
        (
            {"in_sample": "auto"},
            "`in_sample` must be one of no_shrinkage, ledoit_wolf; got 'auto'.",
        ),
    ],
)
def test_options_out_of_range(options, message):
    features, labels = class_input(20, 4)
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        lda(features, labels, **options)
