from __future__ import annotations

import numpy as np
import pytest

from transferscore.errors import InputError
from transferscore.ranking.agreement import (
    first_choice_regret,
    interval_coverage,
    mean_absolute_error,
    weighted_tau,
)

PAIRED = [weighted_tau, first_choice_regret, mean_absolute_error]


def slow_weighted_tau(x, y):
    """The definition, pair by pair, weighted by the ranks in x and then by those in y."""

    def ranked_by(first, second):
        # Ties in the ranking value are broken by the other one, as the paper has it.
        order = sorted(range(len(x)), key=lambda i: (-first[i], -second[i]))
        rank = {i: position for position, i in enumerate(order)}
        pairs = [(i, j) for i in range(len(x)) for j in range(i)]
        weight = {(i, j): 1 / (rank[i] + 1) + 1 / (rank[j] + 1) for i, j in pairs}

        def product(a, b):
            return sum(
                w * np.sign(a[i] - a[j]) * np.sign(b[i] - b[j]) for (i, j), w in weight.items()
            )

        return product(x, y) / np.sqrt(product(x, x) * product(y, y))

    return (ranked_by(x, y) + ranked_by(y, x)) / 2


def test_the_same_order_is_one_and_the_reverse_minus_one():
    assert weighted_tau([1, 2, 3, 4], [10, 20, 30, 40]) == pytest.approx(1.0)
    assert weighted_tau([1, 2, 3, 4], [40, 30, 20, 10]) == pytest.approx(-1.0)


@pytest.mark.parametrize("seed", range(4))
def test_tau_is_its_definition(seed):
    rng = np.random.default_rng(seed)
    x, y = rng.integers(0, 6, (2, 9)).astype(float)
    assert weighted_tau(x, y) == pytest.approx(slow_weighted_tau(x, y), rel=1e-12)


def test_an_exchange_at_the_top_costs_more_than_one_at_the_bottom():
    measured = [5, 4, 3, 2, 1]
    assert weighted_tau([4, 5, 3, 2, 1], measured) < weighted_tau([5, 4, 3, 1, 2], measured)


def test_one_value_on_a_side_has_no_order():
    assert weighted_tau([1, 1, 1], [1, 2, 3]) == 0.0
    assert weighted_tau([1, 2, 3], [1, 1, 1]) == 0.0
    assert weighted_tau([1], [1]) == 0.0


def test_regret_is_what_the_choice_loses():
    assert first_choice_regret([0.9, 0.8], [0.7, 0.75]) == pytest.approx(0.05)
    assert first_choice_regret([0.9, 0.8], [0.7, 0.65]) == 0.0


def test_equal_first_choices_lose_their_mean_in_any_order():
    assert first_choice_regret([3, 3, 1], [0.7, 0.9, 0.8]) == pytest.approx(0.1)
    assert first_choice_regret([3, 3, 1], [0.9, 0.7, 0.8]) == pytest.approx(0.1)


def test_error_is_the_mean_distance():
    assert mean_absolute_error([0.9, 0.8, 0.5], [0.8, 0.8, 0.7]) == pytest.approx(0.1)


def test_coverage_counts_what_lies_in_the_interval_ends_included():
    low, high = [0.1, 0.1, 0.1, 0.1], [0.3, 0.3, 0.3, 0.3]
    assert interval_coverage(low, high, [0.1, 0.3, 0.05, 0.35]) == 0.5


@pytest.mark.parametrize("function", PAIRED)
def test_lengths_must_match(function):
    with pytest.raises(InputError) as caught:
        function([1, 2], [1, 2, 3])
    message = "`predicted` must have one entry per entry of `measured` (3); got 2."
    assert str(caught.value) == message


@pytest.mark.parametrize("function", PAIRED)
def test_there_must_be_a_vector_of_candidates(function):
    with pytest.raises(InputError) as caught:
        function([], [])
    message = "`predicted` must have shape (n_candidates,) with at least one; got (0,)."
    assert str(caught.value) == message
    with pytest.raises(InputError) as caught:
        function([1, 2], [[1, 2]])
    message = "`measured` must have shape (n_candidates,) with at least one; got (1, 2)."
    assert str(caught.value) == message


@pytest.mark.parametrize("function", PAIRED)
def test_numbers_must_be_finite(function):
    with pytest.raises(InputError) as caught:
        function([1, 2, 3, 4], [1, np.nan, np.inf, 4])
    assert str(caught.value) == (
        "`measured` must be finite; 2 of 4 entries are not, first at row 1. "
        "Leave out candidates that failed."
    )


def test_intervals_must_not_be_crossed():
    with pytest.raises(InputError) as caught:
        interval_coverage([0.1, 0.5, 0.4], [0.3, 0.3, 0.3], [0.2, 0.2, 0.2])
    message = (
        "`low` must not be above `high`; it is for 2 of 3 candidates, first at row 1 (0.5 > 0.3)."
    )
    assert str(caught.value) == message


def test_each_end_of_the_intervals_is_checked_under_its_name():
    with pytest.raises(InputError, match=r"^`low` must have one entry per entry"):
        interval_coverage([0.1], [0.3, 0.3], [0.2, 0.2])
    with pytest.raises(InputError, match=r"^`high` must have one entry per entry"):
        interval_coverage([0.1, 0.1], [0.3], [0.2, 0.2])
