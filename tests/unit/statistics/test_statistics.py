"""Tests of `transferscore.statistics.statistics`."""

from __future__ import annotations

import re

import numpy as np
import pytest
from scipy.special import softmax

from tests.reference.inputs import class_input
from transferscore.errors import InputError, UnknownNameError
from transferscore.statistics import Statistics


@pytest.mark.parametrize(("n", "d"), [(30, 5), (10, 25)])
def test_what_scores_share_is_the_same_on_both_sides(n, d):
    features, labels = class_input(n, d)
    statistics = Statistics(features, labels)
    assert (statistics.n_samples, statistics.n_features) == (n, d)
    np.testing.assert_allclose(statistics.mean, features.mean(axis=0), rtol=1e-12)
    squares = np.sum((features - features.mean(axis=0)) ** 2, axis=1)
    assert statistics.norm_fourth == pytest.approx(squares @ squares, rel=1e-12)
    columns = np.eye(3)[labels]
    np.testing.assert_allclose(statistics.target_mean, columns.mean(axis=0), rtol=1e-12)
    np.testing.assert_allclose(statistics.target_scatter, n * columns.var(axis=0), rtol=1e-12)


def test_wide_features_never_make_a_square_matrix_of_features():
    features, labels = class_input(10, 25)
    statistics = Statistics(features, labels)
    assert statistics.held_out.value >= 0.0
    assert "moments" not in vars(statistics)


def test_everything_is_computed_once():
    statistics = Statistics(*class_input(20, 4))
    assert statistics.spectrum is statistics.spectrum
    assert statistics.moments is statistics.moments
    assert statistics.held_out is statistics.held_out


def test_constant_columns_have_no_scatter_at_all():
    columns = np.column_stack([np.full(1000, 0.1), np.arange(1000)])
    statistics = Statistics(np.ones((1000, 2)), columns, task="regression")
    assert statistics.target_scatter[0] == 0.0


def test_the_task_decides_what_labels_are():
    features = np.arange(6.0).reshape(3, 2)
    assert Statistics(features, [0, 1, 2]).targets.is_classes
    assert not Statistics(features, [0, 1, 2], task="regression").targets.is_classes
    message = (
        "`task` must be one of classification, multilabel, regression, token_classification; "
        "got 'rank'."
    )
    with pytest.raises(UnknownNameError, match=re.escape(message)):
        Statistics(features, [0, 1, 2], task="rank")


@pytest.mark.parametrize(
    ("probabilities", "message"),
    [
        (
            [[0.5, 0.5]],
            "`source_probabilities` must have one row per row of `features` (3); got 1.",
        ),
        (
            [[0.5, 0.5], [1.0, -1.0], [0.0, 1.0]],
            "`source_probabilities` must not be negative; row 1 is. "
            "Logits become probabilities by a softmax.",
        ),
        (
            [[0.5, 0.5], [0.0, 1.0], [0.0, 0.0]],
            "`source_probabilities` must have a class above zero in every row; row 2 has none.",
        ),
        (
            [[0.5, np.nan], [0.0, 1.0], [0.0, 1.0]],
            "`source_probabilities` must be finite; 1 of 3 rows have NaN or infinite entries, "
            "the first is row 0.",
        ),
        (
            [0.5, 0.5, 0.5],
            "`source_probabilities` must have shape (n_samples, n_features); got (3,).",
        ),
    ],
)
def test_source_probabilities_are_checked(probabilities, message):
    features = np.arange(6.0).reshape(3, 2)
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        Statistics(features, [0, 1, 1], source_probabilities=probabilities)


def test_source_outputs_are_kept_as_they_come_and_read_as_float64():
    features, rng = np.arange(6.0).reshape(3, 2), np.random.default_rng(0)
    logits = rng.normal(size=(3, 4)).astype(np.float32)
    probabilities = softmax(logits.astype(np.float64), axis=1)
    of_logits = Statistics(features, [0, 1, 1], source_logits=logits).source
    given = Statistics(features, [0, 1, 1], source_probabilities=probabilities).source
    assert of_logits.outputs.dtype == np.float32
    for source in (of_logits, given):
        ((rows, block),) = source.blocks()
        assert (rows, block.dtype) == (slice(0, 3), np.float64)
        np.testing.assert_allclose(block, probabilities, rtol=1e-15)
        assert (source.likeliest() == logits.argmax(axis=1)).all()
    assert Statistics(features, [0, 1, 1]).source is None
