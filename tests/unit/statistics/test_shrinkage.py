"""Tests of `transferscore.statistics.shrinkage`."""

from __future__ import annotations

import numpy as np
import pytest

from tests.reference.inputs import CLASS_INPUTS
from tests.reference.shrinkage_h_score import ledoit_wolf
from transferscore.statistics import Statistics
from transferscore.statistics.shrinkage import ledoit_wolf_shrinkage


def shrinkage(features):
    statistics = Statistics(features, np.arange(len(features)) % 2)
    return ledoit_wolf_shrinkage(
        statistics.spectrum.eigenvalues, statistics.norm_fourth, *features.shape
    )


@pytest.mark.parametrize("example", CLASS_INPUTS, ids=lambda example: example.name)
def test_agrees_with_the_paper_and_with_scikit_learn(example):
    from sklearn.covariance import ledoit_wolf_shrinkage as theirs

    a = shrinkage(example.features)
    assert a == pytest.approx(ledoit_wolf(example.features), rel=1e-8)
    if example.features.shape[1] > 1:
        assert a == pytest.approx(theirs(example.features), rel=1e-8)


def test_constant_features_and_a_single_feature_are_not_shrunk():
    assert shrinkage(np.full((20, 3), 0.1)) == 0.0
    assert shrinkage(np.random.default_rng(0).normal(size=(20, 1))) == 0.0


def test_noise_in_many_dimensions_is_shrunk_all_the_way():
    assert shrinkage(np.random.default_rng(0).normal(size=(20, 200))) > 0.9


def test_many_samples_of_unequal_spread_need_little():
    features = np.random.default_rng(0).normal(size=(2000, 3)) * [1.0, 5.0, 25.0]
    assert 0.0 < shrinkage(features) < 0.01
