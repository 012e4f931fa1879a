"""Tests of `transferscore.scores.nce`."""

from __future__ import annotations

import re

import numpy as np
import pytest

from tests.reference.nce import nce as slow_nce
from transferscore.errors import InputError
from transferscore.scores.nce import nce, nce_from_statistics
from transferscore.statistics import Statistics

RNG = np.random.default_rng(0)


@pytest.mark.parametrize(
    ("n", "n_source", "n_classes"), [(40, 6, 3), (10, 50, 4), (40, 1, 2), (6, 3, 6)]
)
def test_agrees_with_counting(n, n_source, n_classes):
    probabilities, labels = RNG.dirichlet(np.ones(n_source), n), np.arange(n) % n_classes
    assert nce(probabilities, labels) == pytest.approx(slow_nce(probabilities, labels), rel=1e-10)


def test_source_classes_that_decide_the_label_stand_at_zero():
    labels = np.array([0, 1, 2, 0, 1, 2])
    assert nce(np.eye(5)[labels + 1], labels) == 0.0


def test_a_single_source_class_leaves_the_entropy_of_the_labels():
    labels = [0, 0, 0, 1]
    expected = 0.75 * np.log(0.75) + 0.25 * np.log(0.25)
    assert nce(np.ones((4, 1)), labels) == pytest.approx(expected, rel=1e-12)


def test_only_the_most_likely_source_class_counts():
    probabilities, labels = RNG.dirichlet(np.ones(4), 20), np.arange(20) % 2
    assert nce(probabilities**3, labels) == nce(probabilities, labels)
    assert nce(probabilities * 10.0, labels) == nce(probabilities, labels)


@pytest.mark.parametrize(
    ("probabilities", "message"),
    [
        (
            [[0.5, np.nan], [1.0, 0.0]],
            "`source_probabilities` must be finite; 1 of 2 rows have NaN or infinite entries, "
            "the first is row 0.",
        ),
        (
            [[1.5, -0.5], [1.0, 0.0]],
            "`source_probabilities` must not be negative; row 0 is. "
            "Logits become probabilities by a softmax.",
        ),
    ],
)
def test_the_message_speaks_of_source_probabilities(probabilities, message):
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        nce(probabilities, [0, 1])


def test_statistics_without_source_probabilities_are_refused():
    message = (
        "This score needs `source_probabilities`, the model's own class probabilities "
        "(n_samples, n_source_classes); none were given."
    )
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        nce_from_statistics(Statistics([[1.0], [2.0]], [0, 1]))


def test_real_valued_labels_are_refused():
    statistics = Statistics(
        [[1.0], [2.0]], [0.5, 1.5], task="regression", source_probabilities=np.ones((2, 1))
    )
    message = "This score needs one class a sample; the labels are real-valued."
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        nce_from_statistics(statistics)
