from __future__ import annotations

import math

import numpy as np
import pytest

from transferscore.errors import InputError
from transferscore.ranking.agreement import (
    first_choice_regret,
    interval_coverage,
    mean_absolute_error,
    weighted_tau,
)


def test_the_same_order_is_one_and_the_reverse_minus_one():
    assert weighted_tau([1, 2, 3, 4], [10, 20, 30, 40]) == pytest.approx(1.0)
    assert weighted_tau([1, 2, 3, 4], [40, 30, 20, 10]) == pytest.approx(-1.0)


def test_a_random_order_is_about_nought():
    rng = np.random.default_rng(0)
    values = [weighted_tau(rng.random(12), rng.random(12)) for _ in range(400)]
    assert abs(np.mean(values)) < 0.05


def test_an_exchange_at_the_top_costs_more_than_one_at_the_bottom():
    measured = [5, 4, 3, 2, 1]
    assert weighted_tau([4, 5, 3, 2, 1], measured) < weighted_tau([5, 4, 3, 1, 2], measured)


def test_one_value_on_a_side_has_no_order():
    assert math.isnan(weighted_tau([1, 1, 1], [1, 2, 3]))
    assert math.isnan(weighted_tau([1, 2, 3], [1, 1, 1]))


def test_one_candidate_is_no_order():
    with pytest.raises(InputError, match="at least two candidates to be in an order; got 1"):
        weighted_tau([1.0], [1.0])


def test_regret_is_what_the_choice_loses():
    assert first_choice_regret([0.9, 0.8], [0.7, 0.75]) == pytest.approx(0.05)
    assert first_choice_regret([0.9, 0.8], [0.7, 0.65]) == 0.0


def test_of_equal_predictions_the_mean_counts():
    assert first_choice_regret([0.9, 0.9, 0.1], [0.7, 0.8, 0.6]) == pytest.approx(0.05)


def test_error_and_coverage():
    measured = np.array([0.92, 0.86, 0.70, 0.59])
    predicted = np.array([0.9, 0.8, 0.7, 0.6])
    assert mean_absolute_error(predicted, measured) == pytest.approx(0.0225)
    assert interval_coverage(predicted - 0.05, predicted + 0.05, measured) == 0.75


@pytest.mark.parametrize("function", [weighted_tau, first_choice_regret, mean_absolute_error])
def test_lengths_must_match_and_numbers_be_finite(function):
    with pytest.raises(InputError, match="predicted"):
        function([1, 2], [1, 2, 3])
    with pytest.raises(InputError, match="measured"):
        function([1, 2], [1, math.nan])
