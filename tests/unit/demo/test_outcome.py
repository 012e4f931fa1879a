from __future__ import annotations

import pytest

from transferscore.demo.outcome import Outcome, Row, outcome_lines

ROWS = (
    Row("first", 0.96, 0.93, 0.98, 0.94),
    Row("second", 0.90, 0.88, 0.92, 0.95),
    Row("third", 0.80, 0.75, 0.84, 0.75),
)


def lines_of(rows):
    return outcome_lines(Outcome(rows, 400, 0.5, 0.01, 0.04, 2 / 3))


def test_the_table_has_predicted_beside_measured():
    assert lines_of(ROWS)[:4] == [
        "#  model   predicted   90% interval  measured  inside  measured rank",
        "1  first       96.0%  93.0% – 98.0%     94.0%     yes              2",
        "2  second      90.0%  88.0% – 92.0%     95.0%      no              1",
        "3  third       80.0%  75.0% – 84.0%     75.0%     yes              3",
    ]


def test_the_summary_says_what_the_first_choice_costs():
    assert lines_of(ROWS)[5:] == [
        "Order:  weighted Kendall tau 0.50 (1 is the same order, 0 a random one).",
        "Choice: first, ranked first, is 1.0 points below the best measured, second.",
        "Values: predictions are off by 4.0 points on average; 2 of 3 models lie in their "
        "90% interval.",
        "        The test has 400 digits, so a measured accuracy is itself uncertain by 1.6 points "
        "(one standard error).",
    ]


def test_a_right_choice_is_said_to_be_right():
    lines = lines_of((ROWS[0], ROWS[2]))
    assert lines[5] == "Choice: first, ranked first, is the best measured as well."


@pytest.mark.parametrize(("measured", "inside"), [(0.93, True), (0.98, True), (0.929, False)])
def test_the_ends_of_the_interval_are_inside(measured, inside):
    assert Row("m", 0.96, 0.93, 0.98, measured).is_inside is inside
