"""Tests of `transferscore.statistics.targets`."""

from __future__ import annotations

import re

import numpy as np
import pytest

from transferscore.errors import InputError
from transferscore.statistics import class_targets, real_targets

CODES = [0, 1, 0, 2, 1]


@pytest.mark.parametrize(
    "labels",
    [
        [10, 20, 10, 30, 20],
        [10.0, 20.0, 10.0, 30.0, 20.0],
        ["cat", "dog", "cat", "eel", "dog"],
        np.array(["cat", "dog", "cat", "eel", "dog"], dtype=object),
        np.array([1, "dog", 1, "eel", "dog"], dtype=object),
        [b"cat", b"dog", b"cat", b"eel", b"dog"],
        [[10], [20], [10], [30], [20]],
        (-3, -2, -3, 5, -2),
        np.array(["2020-01-01", "2020-01-02", "2020-01-01", "2021-01-01", "2020-01-02"], "M8[D]"),
    ],
)
def test_labels_of_any_type_are_classes(labels):
    targets = class_targets(labels, 5)
    assert targets.class_codes().tolist() == CODES
    assert targets.n_columns == 3


def test_booleans_are_two_classes():
    assert class_targets([True, False, True], 3).class_codes().tolist() == [1, 0, 1]


def test_pandas_columns_are_labels():
    pandas = pytest.importorskip("pandas")
    names = pandas.Series(["cat", "dog", "cat", "eel", "dog"], index=[9, 7, 5, 3, 1])
    assert class_targets(names, 5).class_codes().tolist() == CODES
    assert class_targets(names.astype("category"), 5).class_codes().tolist() == CODES
    frame = pandas.DataFrame({"age": [1, 2], "size": [3.5, 4.5]})
    assert real_targets(frame, 2).matrix().tolist() == [[1.0, 3.5], [2.0, 4.5]]


def test_indicator_columns_counts_and_means():
    targets = class_targets(CODES, 5)
    expected = np.eye(3)[CODES]
    assert targets.matrix().tolist() == expected.tolist()
    assert targets.matrix(slice(1, 3)).tolist() == expected[1:3].tolist()
    assert targets.matrix(np.array([4, 0])).tolist() == expected[[4, 0]].tolist()
    assert targets.counts().tolist() == [2, 2, 1]
    assert targets.mean().tolist() == [0.4, 0.4, 0.2]
    assert len(targets) == 5
    assert targets.is_classes


def test_taken_rows_keep_the_columns():
    taken = class_targets(CODES, 5).take(np.array([0, 2]))
    assert taken.matrix().tolist() == [[1.0, 0.0, 0.0], [1.0, 0.0, 0.0]]
    numbers = real_targets([[1.0, 2.0], [3.0, 4.0]], 2).take(np.array([1]))
    assert numbers.matrix().tolist() == [[3.0, 4.0]]


def test_numbers_are_one_column_or_several():
    assert real_targets([1, 2, 4], 3).matrix().tolist() == [[1.0], [2.0], [4.0]]
    assert real_targets([[0, 1], [1, 1]], 2).n_columns == 2
    assert not real_targets([1, 2, 4], 3).is_classes
    assert len(real_targets([1, 2, 4], 3)) == 3


def test_the_mean_of_a_constant_column_is_that_constant():
    columns = np.column_stack([np.full(1000, 0.1), np.arange(1000)])
    assert real_targets(columns, 1000).mean().tolist() == [0.1, 499.5]


@pytest.mark.parametrize(
    ("labels", "n", "message"),
    [
        (
            np.zeros(998),
            1000,
            "`labels` must have one entry per row of `features` (1000); got 998.",
        ),
        ([[0, 1], [1, 0]], 2, "`labels` must have shape (n,); got (2, 2)."),
        (3, 1, "`labels` must have shape (n,); got ()."),
        ([4, 4, 4], 3, "`labels` must show at least two classes; all 3 are 4."),
        (["a", "a"], 2, "`labels` must show at least two classes; all 2 are 'a'."),
        ([0.0, np.nan], 2, "`labels` must be finite; 1 of 2 rows are not, the first is row 1."),
        (
            [0.0, 1.5, 2.0],
            3,
            "`labels` must be class ids for classification; row 1 is 1.5. "
            "For real-valued labels pass task='regression'.",
        ),
        (
            np.array(["a", None, "b"], dtype=object),
            3,
            "`labels` must not be missing; 1 of 3 rows are, the first is row 1.",
        ),
        (
            np.array([1.0, 2.0, float("nan"), None], dtype=object),
            4,
            "`labels` must not be missing; 2 of 4 rows are, the first is row 2.",
        ),
        (
            ["a", "", "b"],
            3,
            "`labels` must not be missing; 1 of 3 rows are, the first is row 1.",
        ),
    ],
)
def test_labels_that_are_no_classes(labels, n, message):
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        class_targets(labels, n)


@pytest.mark.parametrize(
    ("labels", "n", "message"),
    [
        (np.zeros(3), 4, "`labels` must have one entry per row of `features` (4); got 3."),
        (np.zeros((2, 2, 2)), 2, "`labels` must have shape (n,) or (n, m); got (2, 2, 2)."),
        (
            ["a", "b"],
            2,
            "`labels` must be numbers for this task; could not convert string to float: 'a'.",
        ),
        (
            [[1.0, 2.0], [np.inf, 2.0], [1.0, np.nan]],
            3,
            "`labels` must be finite; 2 of 3 rows are not, the first is row 1.",
        ),
        ([0.1, 0.1], 2, "`labels` must vary; all 2 are 0.1."),
        ([[0, 1], [0, 1], [0, 1]], 3, "`labels` must vary; all 3 are [0.0, 1.0]."),
        ([7.0], 1, "`labels` must vary; all 1 are 7.0."),
        ([0.0, -1e200], 2, "`labels` must not exceed 1e+70; the largest is 1e+200. Rescale them."),
    ],
)
def test_labels_that_are_no_numbers(labels, n, message):
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        real_targets(labels, n)


def test_ragged_labels_are_refused():
    with pytest.raises(InputError, match=r"^`labels` cannot be read as an array: setting an arr"):
        class_targets([[1, 2], [3]], 2)


def test_numbers_have_no_class_ids():
    targets = real_targets([1.0, 2.0], 2)
    message = "This score needs one class a sample; the labels are real-valued."
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        targets.class_codes()
