"""Tests of `transferscore.datasets.labels`."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from transferscore.datasets import CLASSIFICATION, MULTILABEL, REGRESSION
from transferscore.datasets.labels import (
    encode_classes,
    guess_task,
    label_text,
    natural_key,
    number_of,
)
from transferscore.errors import DatasetError


@pytest.mark.parametrize("label", [None, "", "  ", "nan", "NaN", float("nan"), np.nan, "<NA>"])
def test_missing_labels(label):
    assert label_text(label) is None


@pytest.mark.parametrize(
    ("label", "text"),
    [
        ("cat", "cat"),
        (" cat ", "cat"),
        ("none", "none"),
        ("NA", "NA"),
        (3, "3"),
        (np.int64(3), "3"),
        (3.0, "3"),
        (np.float32(3), "3"),
        (0.5, "0.5"),
        (True, "True"),
        (np.bool_(False), "False"),
        (float("inf"), "inf"),
    ],
)
def test_the_name_of_a_class(label, text):
    assert label_text(label) == text


@pytest.mark.parametrize(
    ("label", "number"),
    [
        ("1.5", 1.5),
        (" -2 ", -2.0),
        ("1e3", 1000.0),
        (".5", 0.5),
        (np.float32(0.5), 0.5),
        ("1_000", None),
        ("inf", None),
        ("nan", None),
        ("1e999", None),
        ("", None),
        (None, None),
        ("one", None),
    ],
)
def test_numbers(label, number):
    assert number_of(label) == number


@pytest.mark.parametrize(
    ("labels", "task"),
    [
        (["a", "b"], CLASSIFICATION),
        (["1", "2"], CLASSIFICATION),
        ([1.0, 2.0], CLASSIFICATION),
        ([True, False], CLASSIFICATION),
        ([1.0, 2.5], REGRESSION),
        (["1.0", "2.5"], REGRESSION),
        (["1.5", "b"], CLASSIFICATION),
        (np.array([0.5, 1.0]), REGRESSION),
        (np.array([0, 1]), CLASSIFICATION),
        (np.array([[0, 1], [1, 1]]), MULTILABEL),
        (np.array([[0.5, 1], [1, 1]]), REGRESSION),
    ],
)
def test_the_task_that_labels_look_like(labels, task):
    assert guess_task(labels) == task


def test_integers_are_sorted_by_value():
    ids, names = encode_classes(["10", "9", "-1", "-20", "0", "9"], {}, "x")
    assert names == ("-20", "-1", "0", "9", "10")
    assert ids.tolist() == [4, 3, 1, 0, 2, 3]
    assert ids.dtype == np.int64


def test_names_are_sorted_naturally():
    _, names = encode_classes(["c10", "c2", "b", "C1", "c02"], {}, "x")
    assert names == ("C1", "b", "c02", "c2", "c10")


def test_shown_names_keep_the_order_of_the_labels():
    ids, names = encode_classes(["1", "0", "2"], {"0": "zebra", "1": "ant"}, "x")
    assert (ids.tolist(), names) == ([1, 0, 2], ("zebra", "ant", "2"))


def test_two_labels_of_one_name_are_refused():
    with pytest.raises(DatasetError) as error:
        encode_classes(["0", "1"], {"0": "cat", "1": "cat"}, "x.csv")
    assert str(error.value) == (
        "`x.csv` calls the labels '0', '1' all 'cat'; each needs a name of its own."
    )


@given(st.lists(st.integers(), min_size=1, unique=True))
def test_integer_classes_are_in_numeric_order(numbers):
    _, names = encode_classes([str(number) for number in numbers], {}, "x")
    assert [int(name) for name in names] == sorted(numbers)


@given(st.lists(st.text(min_size=1), min_size=1))
def test_every_label_keeps_its_name(texts):
    ids, names = encode_classes(texts, {}, "x")
    assert [names[position] for position in ids] == texts


def test_a_number_of_any_length_can_be_sorted():
    assert natural_key("9" * 5000) < natural_key("1" + "0" * 5000)
    _, names = encode_classes(["1" + "0" * 5000, "9" * 5000], {}, "x")
    assert names[0] == "9" * 5000
