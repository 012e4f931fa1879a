"""Tests of `transferscore.scores.knn`."""

from __future__ import annotations

import re

import numpy as np
import pytest

from tests.reference.inputs import INPUTS, class_input
from tests.reference.knn import knn as slow_knn
from transferscore.errors import InputError
from transferscore.scores.knn import knn


@pytest.mark.parametrize("k", [1, 2, 5])
@pytest.mark.parametrize("example", INPUTS, ids=lambda example: example.name)
def test_agrees_with_one_sample_at_a_time(example, k):
    value = knn(example.features, example.labels, k=k, task=example.task)
    expected = slow_knn(example.features, example.labels, k, example.task)
    assert value == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        # Rows 0..3 stand on a line; each sees its two nearest, and the smaller label wins a tie.
        ([0, 0, 1, 1], 0.5),
        ([1, 0, 1, 1], 0.0),
        (["b", "b", "a", "a"], 0.5),
    ],
)
def test_the_smallest_label_wins_a_tied_vote(labels, expected):
    assert knn([[0.0], [1.0], [2.1], [3.3]], labels, k=2) == expected


@pytest.mark.parametrize("k", [19, 20, 1000])
def test_k_beyond_the_other_rows_is_all_of_them(k):
    features, labels = class_input(20, 4)
    assert knn(features, labels, k=k) == slow_knn(features, labels, 19)


def test_a_row_is_not_its_own_neighbour():
    features = np.repeat(np.arange(10.0), 2)[:, None]
    assert knn(features, np.tile([0, 1], 10), k=1) == 0.0
    assert knn(features, np.repeat([0, 1], 10), k=1) == 1.0


def test_copies_of_each_row_outvote_its_neighbours():
    """Of five neighbours two are a row's own copies, three those of the nearest other row."""
    features, labels = class_input(20, 4)
    copies = np.tile(np.arange(20), 3)
    assert knn(features[copies], labels[copies], k=5) == knn(features, labels, k=1)
    assert knn(features[copies], labels[copies], k=2) == 1.0


def test_a_constant_output_counts_for_nothing():
    features, _ = class_input(30, 3)
    alone = knn(features, features[:, :1], task="regression")
    both = np.hstack([features[:, :1], np.full((30, 1), 0.1)])
    assert knn(features, both, task="regression") == pytest.approx(alone, rel=1e-12)


def test_no_neighbours_are_refused():
    features, labels = class_input(20, 4)
    with pytest.raises(InputError, match=f"^{re.escape('`k` must be at least 1; got 0.')}$"):
        knn(features, labels, k=0)
