from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from transferscore.ranking import Evaluation
from transferscore.ranking.uncertainty import comparison_of, draw_values, interval

RNG = np.random.default_rng(0)


def compare(evaluations, seed):
    return comparison_of(draw_values(evaluations, seed), len(evaluations))


def evaluation(losses, rows=None):
    losses = np.asarray(losses, dtype=float)
    rows = np.arange(len(losses)) if rows is None else rows
    return Evaluation(1 - losses.mean(), losses, rows, {}, 8, {}, ())


@pytest.mark.parametrize("accuracy", [0.0, 0.3, 0.97, 1.0])
@pytest.mark.parametrize("n", [10, 200, 5000])
def test_the_interval_holds_the_value_and_stays_within_bounds(accuracy, n):
    losses = np.arange(n) >= round(accuracy * n)
    low, high = interval(evaluation(losses), is_share_of_rows=True)
    assert 0.0 <= low <= 1 - losses.mean() <= high <= 1.0
    assert high - low > 0.005


def test_more_samples_narrow_the_interval_down_to_the_mismatch():
    widths = []
    for n in (50, 500, 5000, 10**6):
        low, high = interval(evaluation(np.arange(n) % 5 == 0), is_share_of_rows=True)
        widths.append(high - low)
    assert widths == sorted(widths, reverse=True)
    assert widths[-1] == pytest.approx(2 * 1.645 * 0.005, rel=0.05)


def test_nine_in_ten_intervals_hold_the_truth_when_there_is_little_but_sampling_error():
    truth, n, inside = 0.8, 1500, 0
    for _ in range(400):
        low, high = interval(evaluation(RNG.random(n) > truth), is_share_of_rows=True)
        inside += low <= truth <= high
    assert 0.87 <= inside / 400 <= 0.99


def test_an_unbounded_metric_has_an_interval_about_its_value():
    losses = RNG.gamma(1.0, 0.4, size=300)
    low, high = interval(evaluation(losses), is_share_of_rows=False)
    assert low < 1 - losses.mean() < high


def test_each_metric_has_a_mismatch_of_its_own():
    losses = np.full(400, 0.3)  # no sampling error at all
    halves = {}
    for metric, also in (("accuracy", "macro_f1"), ("average_precision", "macro_f1"), ("r2", "x")):
        # Whichever order the metrics come back in from a store.
        for metrics in ({metric: 0.7, also: 0.1}, {also: 0.1, metric: 0.7}):
            of_metric = replace(evaluation(losses), metrics=metrics)
            low, high = interval(of_metric, is_share_of_rows=False)
            halves.setdefault(metric, []).append((high - low) / 2 / 1.645)
            assert np.std(draw_values([of_metric], 0)) == pytest.approx(halves[metric][0], rel=0.05)
    assert halves["accuracy"] == pytest.approx([7 / 400] * 2, rel=1e-3)
    assert halves["average_precision"] == pytest.approx([0.15 / 400**0.25] * 2, rel=1e-3)
    assert halves["r2"] == pytest.approx([0.7 / 20] * 2, rel=1e-3)


def test_models_that_fail_on_the_same_samples_are_told_apart_more_easily():
    n = 400
    hard = np.arange(n) < 120
    first = evaluation(hard)
    nested = evaluation(np.arange(n) < 150)  # fails wherever the first does, and 30 times more
    shuffled = evaluation(np.random.default_rng(1).permutation(np.arange(n) < 150))
    together = compare([first, nested], 0).p_first_better[1]
    apart = compare([first, shuffled], 0).p_first_better[1]
    assert together > 0.99
    assert apart < together


def test_equal_models_are_a_coin_toss():
    losses = RNG.random(500) > 0.7
    result = compare([evaluation(losses), evaluation(losses)], 0)
    assert 0.4 < result.p_first_better[1] < 0.6
    assert result.p_best.sum() == pytest.approx(1.0)
    assert result.p_first_better[0] == 0.5


def test_a_clear_winner_leaves_no_regret():
    result = compare([evaluation(np.zeros(300)), evaluation(np.arange(300) < 150)], 0)
    assert result.p_best[0] == 1.0
    assert result.expected_regret == 0.0


def test_only_rows_that_all_candidates_have_are_compared():
    first = evaluation([0, 0, 1, 1], np.array([0, 1, 2, 3]))
    second = evaluation([0, 1, 1], np.array([0, 2, 3]))  # the same losses on the common rows
    assert 0.3 < compare([first, second], 0).p_first_better[1] < 0.7


def test_the_same_seed_gives_the_same_bits():
    pair = [evaluation(RNG.random(50) > 0.6), evaluation(RNG.random(50) > 0.5)]
    assert compare(pair, 3).p_best.tolist() == compare(pair, 3).p_best.tolist()


def test_who_breaks_a_limit_is_no_rival():
    better, good = evaluation(np.arange(300) < 30), evaluation(np.arange(300) < 150)
    values = draw_values([good, better], 0)
    alone = comparison_of(values, 1)
    assert alone.p_best.tolist() == [1.0, 0.0]
    assert alone.expected_regret == 0.0
    assert comparison_of(values, 2).expected_regret == pytest.approx(0.4, abs=0.02)
