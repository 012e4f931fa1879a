"""Tests of `transferscore.scores.leep`."""

from __future__ import annotations

import re

import numpy as np
import pytest

from tests.reference.leep import leep as slow_leep
from transferscore.errors import InputError
from transferscore.scores.leep import leep
from transferscore.statistics.rows import row_blocks

RNG = np.random.default_rng(0)


@pytest.mark.parametrize(
    ("n", "n_source", "n_classes"), [(40, 6, 3), (10, 50, 4), (40, 1, 2), (6, 3, 6)]
)
@pytest.mark.parametrize("peak", [1.0, 1e-3])
def test_agrees_with_the_double_sum(n, n_source, n_classes, peak):
    probabilities = RNG.dirichlet(np.full(n_source, peak), n) + 1e-12
    labels = np.arange(n) % n_classes
    assert leep(probabilities, labels) == pytest.approx(slow_leep(probabilities, labels), rel=1e-10)


def test_blocks_change_nothing(monkeypatch):
    probabilities, labels = RNG.dirichlet(np.ones(6), 40), np.arange(40) % 3
    whole = leep(probabilities, labels)
    monkeypatch.setattr(row_blocks, "__defaults__", (8 * 6 * 7,))
    assert leep(probabilities, labels) == pytest.approx(whole, rel=1e-12)


def test_a_source_class_without_mass_contributes_nothing():
    probabilities, labels = RNG.dirichlet(np.ones(4), 20), np.arange(20) % 2
    padded = np.hstack([probabilities, np.zeros((20, 2))])
    assert leep(padded, labels) == pytest.approx(leep(probabilities, labels), rel=1e-12)


def test_certain_and_right_stands_at_zero():
    labels = np.array([0, 1, 2, 0, 1, 2])
    assert leep(np.eye(3)[labels], labels) == 0.0


def test_uninformative_probabilities_stand_at_the_entropy_of_the_labels():
    labels = [0, 0, 0, 1]
    expected = 0.75 * np.log(0.75) + 0.25 * np.log(0.25)
    assert leep(np.full((4, 5), 0.2), labels) == pytest.approx(expected, rel=1e-12)


def test_the_least_probabilities_of_float32_are_enough():
    probabilities = np.full((4, 2), 1e-45, dtype=np.float32)
    probabilities[:, 0] = 1.0
    assert np.isfinite(leep(probabilities, [0, 1, 0, 1]))


def test_a_row_without_mass_is_refused():
    message = "`source_probabilities` must have a class above zero in every row; row 1 has none."
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        leep([[0.5, 0.5], [0.0, 0.0]], [0, 1])
