"""Metrics of held-out outputs against scikit-learn and scipy, and their jackknife losses."""

from __future__ import annotations

import numpy as np
import pytest

from transferscore.ranking.metrics import average_precision, macro_f1, spearman

RNG = np.random.default_rng(0)
TARGETS = (RNG.random((60, 4)) < [0.1, 0.3, 0.5, 0.9]).astype(float)
OUTPUTS = TARGETS + RNG.normal(size=TARGETS.shape)


def test_average_precision_is_that_of_scikit_learn():
    from sklearn.metrics import average_precision_score

    value, losses = average_precision(OUTPUTS, TARGETS)
    assert value == pytest.approx(average_precision_score(TARGETS, OUTPUTS, average="macro"))
    assert losses.mean() == pytest.approx(1 - value)


def test_losses_are_the_jackknife_of_average_precision():
    from sklearn.metrics import average_precision_score

    value, losses = average_precision(OUTPUTS, TARGETS)
    without = np.array(
        [
            average_precision_score(
                np.delete(TARGETS, row, 0), np.delete(OUTPUTS, row, 0), average="macro"
            )
            for row in range(len(TARGETS))
        ]
    )
    influence = (len(TARGETS) - 1) * (without.mean() - without)
    np.testing.assert_allclose(losses, 1 - value - influence, atol=1e-10)


def test_the_spread_of_the_losses_is_that_of_the_metric_on_new_rows():
    values, spreads = [], []
    for seed in range(300):
        rng = np.random.default_rng(seed)
        targets = (rng.random((200, 2)) < 0.3).astype(float)
        value, losses = average_precision(targets + rng.normal(size=targets.shape), targets)
        values.append(value)
        spreads.append(np.std(losses) / np.sqrt(len(losses)))
    assert np.mean(spreads) == pytest.approx(np.std(values), rel=0.15)


def test_a_label_that_no_row_has_does_not_count():
    targets = np.column_stack([TARGETS, np.zeros(len(TARGETS))])
    outputs = np.column_stack([OUTPUTS, np.zeros(len(TARGETS))])
    assert average_precision(outputs, targets)[0] == average_precision(OUTPUTS, TARGETS)[0]


def test_macro_f1_is_that_of_scikit_learn():
    from sklearn.metrics import f1_score

    predicted, actual = OUTPUTS > 0.5, TARGETS > 0.5
    assert macro_f1(predicted, actual) == pytest.approx(
        f1_score(actual, predicted, average="macro", zero_division=0)
    )


def test_spearman_is_that_of_scipy():
    from scipy.stats import spearmanr

    numbers = RNG.integers(0, 9, size=(60, 2)).astype(float)  # with ties
    expected = np.mean([spearmanr(OUTPUTS[:, j], numbers[:, j]).statistic for j in range(2)])
    assert spearman(OUTPUTS[:, :2], numbers) == pytest.approx(expected)
    assert spearman(np.ones((5, 1)), np.arange(5.0)[:, None]) == 0.0
