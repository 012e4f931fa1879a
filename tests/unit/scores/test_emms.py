"""Tests of `transferscore.scores.emms`."""

from __future__ import annotations

import re

import numpy as np
import pytest

from tests.reference.emms import emms as slow_emms
from tests.reference.emms import held_out_emms, nearest_on_simplex
from tests.reference.inputs import CLASS_INPUTS, INPUTS, class_input
from transferscore.errors import InputError
from transferscore.scores.emms import _sparsemax, emms
from transferscore.statistics import Statistics
from transferscore.statistics.ridge import penalty_path

RNG = np.random.default_rng(0)
REACHED = (
    "EMMS is at its best whatever the labels: the 14 samples are no more than the features span. "
    "Use held_out=True."
)
SPANNED = {"n < d", "n = d", "regression, n < d", "multilabel, n < d"}
FEWER = [example for example in INPUTS if example.name not in SPANNED]


@pytest.mark.parametrize("example", FEWER, ids=lambda example: example.name)
def test_agrees_with_least_squares_on_all_samples(example):
    value = emms(example.features, example.labels, task=example.task)
    # The published guard, added to the spread, tells on features of a spread of 1e-6.
    tolerance = {"rel": 1e-8, "abs": 1e-9}
    assert value == pytest.approx(slow_emms(example.features, example.columns[None]), **tolerance)


@pytest.mark.parametrize("k", [1, 2, 4])
@pytest.mark.parametrize("example", CLASS_INPUTS[:1] + CLASS_INPUTS[4:8], ids=lambda e: e.name)
def test_agrees_for_several_embeddings(example, k):
    embeddings = RNG.normal(size=(k, example.columns.shape[1], 5))
    value = emms(example.features, example.labels, embeddings=list(embeddings))
    expected = slow_emms(example.features, example.columns @ embeddings)
    assert value == pytest.approx(expected, rel=1e-6)


def test_one_embedding_is_a_list_of_one():
    features, labels = class_input(40, 6)
    embedding = RNG.normal(size=(3, 5))
    assert emms(features, labels, embeddings=embedding) == emms(
        features, labels, embeddings=[embedding]
    )


def test_rows_by_id_serve_labels_with_gaps():
    features, labels = class_input(40, 6)
    embedding, ids = RNG.normal(size=(9, 5)), np.array([1, 4, 8])
    expected = emms(features, labels, embeddings=embedding[ids])
    assert emms(features, ids[labels], embeddings=embedding) == expected
    assert emms(features, ids[labels], embeddings=embedding[ids]) == expected


def test_an_embedding_for_other_classes_is_refused():
    features, labels = class_input(40, 6)
    message = "`embeddings` must have one row for each of the 3 classes; got 2."
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        emms(features, labels, embeddings=np.ones((2, 5)))


def test_numbers_are_their_own_embedding():
    features, labels = class_input(40, 6)
    message = "`embeddings` are of classes; numbers are their own embedding."
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        emms(features, labels + 0.5, embeddings=np.ones((2, 5)), task="regression")


def test_with_no_more_samples_than_features_any_labels_are_reached_and_it_is_said():
    features, labels = class_input(14, 30)
    with pytest.warns(RuntimeWarning, match=f"^{re.escape(REACHED)}$"):
        assert emms(features, labels) == 0.0


@pytest.mark.parametrize("example", CLASS_INPUTS, ids=lambda example: example.name)
def test_held_out_agrees_with_leaving_each_sample_out(example):
    value = emms(example.features, example.labels, held_out=True)
    spectrum = Statistics(example.features, example.labels).spectrum
    path = np.append(penalty_path(spectrum), np.inf)
    expected = held_out_emms(example.features, example.columns[None], path)
    assert value == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("ratio", [0.2, 1.0, 5.0, 20.0])
def test_noise_stands_where_it_is_said_to(ratio):
    n, d = 60, round(60 / ratio)
    values, held = [], []
    for seed in range(10):
        features = np.random.default_rng(seed).normal(size=(n, d))
        held.append(emms(features, np.arange(n) % 3, held_out=True))
        if d < n - 1:
            values.append(emms(features, np.arange(n) % 3))
    assert np.mean(held) == pytest.approx(-1.0, abs=0.06)
    if values:
        assert np.mean(values) == pytest.approx(d / (n - 1) - 1, abs=0.02)


@pytest.mark.parametrize("values", [[0.3], [2.0, -1.0], [0.5, 0.4, 0.35], [1.0, 0.9, -3.0, 0.95]])
def test_sparsemax_is_the_nearest_point_of_the_simplex(values):
    expected = nearest_on_simplex(np.array(values))
    assert _sparsemax(np.array(values)) == pytest.approx(expected, abs=1e-6)
