from __future__ import annotations

import numpy as np
import pytest

from transferscore.errors import InputError
from transferscore.ranking import Prediction
from transferscore.ranking.agreement import agreement, mean_absolute_error, regret, weighted_tau


def test_the_same_order_is_one_and_the_reverse_minus_one():
    assert weighted_tau([1, 2, 3, 4], [10, 20, 30, 40]) == pytest.approx(1.0)
    assert weighted_tau([1, 2, 3, 4], [40, 30, 20, 10]) == pytest.approx(-1.0)


def test_an_exchange_at_the_top_costs_more_than_one_at_the_bottom():
    measured = [5, 4, 3, 2, 1]
    assert weighted_tau([4, 5, 3, 2, 1], measured) < weighted_tau([5, 4, 3, 1, 2], measured)


def test_one_value_on_a_side_has_no_order():
    assert weighted_tau([1, 1, 1], [1, 2, 3]) == 0.0
    assert weighted_tau([1, 2, 3], [1, 1, 1]) == 0.0


def test_regret_is_what_the_choice_loses():
    assert regret([0.9, 0.8], [0.7, 0.75]) == pytest.approx(0.05)
    assert regret([0.9, 0.8], [0.7, 0.65]) == 0.0


def test_agreement_counts_what_lies_in_the_interval():
    predicted = [Prediction("accuracy", v, v - 0.05, v + 0.05) for v in (0.9, 0.8, 0.7, 0.6)]
    found = agreement(predicted, [0.92, 0.86, 0.70, 0.59])
    assert found.coverage == 0.75
    assert found.mean_absolute_error == pytest.approx(np.mean([0.02, 0.06, 0, 0.01]))
    assert found.weighted_tau == pytest.approx(1.0)
    assert found.regret == 0.0


@pytest.mark.parametrize("function", [weighted_tau, regret, mean_absolute_error])
def test_lengths_must_match(function):
    message = r"must have the same shape \(n_candidates,\); got \(2,\) and \(3,\)"
    with pytest.raises(InputError, match=message):
        function([1, 2], [1, 2, 3])
