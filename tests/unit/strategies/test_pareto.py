"""Tests of the Pareto front."""

from __future__ import annotations

import numpy as np
import pytest

from transferscore.errors import InputError
from transferscore.strategies.pareto import pareto_front


def by_definition(gains, costs):
    """Each pair compared in plain words."""

    def beats(j, i):
        no_worse = gains[j] >= gains[i] and all(costs[j] <= costs[i])
        return no_worse and (gains[j] > gains[i] or any(costs[j] < costs[i]))

    return [not any(beats(j, i) for j in range(len(gains))) for i in range(len(gains))]


@pytest.mark.parametrize("seed", range(20))
def test_the_front_is_what_the_definition_says(seed):
    rng = np.random.default_rng(seed)
    gains = rng.integers(0, 5, size=12) / 5
    costs = rng.integers(0, 4, size=(12, 2)).astype(float)
    front = pareto_front(gains, costs)
    assert front.tolist() == by_definition(gains, costs)
    assert front.any()


def test_equals_are_on_the_front_together():
    assert pareto_front([0.5, 0.5], [[1, 2], [1, 2]]).tolist() == [True, True]


def test_an_unknown_cost_neither_beats_nor_is_beaten():
    assert pareto_front([0.9, 0.5], [[np.nan, 1], [5, 5]]).tolist() == [True, True]


def test_one_candidate_is_its_own_front():
    assert pareto_front([0.1], [[3.0, 4.0]]).tolist() == [True]
    assert pareto_front([], np.empty((0, 2))).tolist() == []


def test_shapes_must_match():
    with pytest.raises(InputError, match=r"must have shapes \(m,\) and \(m, k\); got \(2,\)"):
        pareto_front([1, 2], [[1, 2]])
