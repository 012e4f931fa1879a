"""Which columns are taken, and that a guess is announced."""

from __future__ import annotations

import numpy as np
import pytest

from transferscore.datasets import TableRow, TextPair, read_dataset
from transferscore.datasets.columns import named_columns
from transferscore.errors import DatasetError


def refused(source, **options) -> str:
    with pytest.raises(DatasetError) as error:
        read_dataset(source, **options)
    return str(error.value)


def test_named_columns_as_text_and_as_a_mapping():
    expected = {"text": ("first", "second"), "label": ("score",)}
    assert named_columns("text=first+second, label=score") == expected
    assert named_columns({"text": ["first", "second"], "label": "score"}) == expected
    with pytest.raises(DatasetError, match="must look like text=COLUMN,label=COLUMN"):
        named_columns("text")
    with pytest.raises(DatasetError, match="`columns` must name one of text, tokens, image"):
        named_columns({"texts": "a"})


def test_named_columns_are_taken_and_nothing_is_announced():
    rows = {"text": list("abcd"), "mood": [0, 1, 0, 1], "label": list("xxyy"), "body": list("efgh")}
    dataset = read_dataset(rows, columns={"text": "body", "label": "mood"})
    assert tuple(dataset.samples) == tuple("efgh")
    assert (dataset.labels.tolist(), dataset.exclusions) == ([0, 1, 0, 1], ())


def test_a_column_that_is_not_there_lists_those_that_are():
    rows = {"text": list("abcd"), "label": [0, 1, 0, 1]}
    assert refused(rows, columns="label=mood") == (
        "`table` has no column 'mood', which `columns` names as the label; "
        "its columns are text, label."
    )
    assert "must name one kind of sample; got text and image" in refused(
        rows, columns={"text": "text", "image": "text"}
    )


def test_a_guess_is_announced():
    rows = {"premise": list("abcd"), "hypothesis": list("efgh"), "target": list("xyxy")}
    dataset = read_dataset(rows)
    assert dataset.samples[0] == TextPair("a", "e")
    assert [str(e) for e in dataset.exclusions] == [
        "columns taken: premise and hypothesis as text pair, target as label"
    ]


def test_prose_is_a_text_whatever_it_is_called():
    texts = [f"a sentence of more than three words, the {k}th" for k in range(4)]
    dataset = read_dataset({"id": [1, 2, 3, 4], "remark": texts, "label": list("xyxy")})
    assert (dataset.modality, tuple(dataset.samples)) == ("text", tuple(texts))
    assert str(dataset.exclusions[0]) == "columns taken: remark as text, label as label"


def test_numbers_and_categories_are_a_table():
    rows = {
        "id": ["r1", "r2", "r3", "r4"],
        "age": [31, None, 25, 47],
        "town": ["Rome", "Oslo", "Rome", ""],
        "same": [1, 1, 1, 1],
        "label": ["yes", "no", "yes", "no"],
        "mood": [1, 0, 1, 0],
    }
    dataset = read_dataset(rows)
    assert dataset.modality == "table"
    assert dataset.samples[1] == TableRow(("age", "town", "mood"), (None, "Oslo", 0.0))
    assert dataset.samples[3] == TableRow(("age", "town", "mood"), (47.0, None, 0.0))
    assert str(dataset.exclusions[0]) == (
        "columns taken: age, town and mood as features, label as label"
    )
    chosen = read_dataset(rows, columns="features=age+same,label=mood")
    assert chosen.samples[0] == TableRow(("age", "same"), (31.0, 1.0))


def test_nothing_that_could_be_a_sample():
    message = refused({"id": ["a", "b", "c", "d"], "label": list("xyxy")})
    assert "must have a column 'text' (or one of sentence, content, review), a pair" in message
    assert "its columns are id, label. Name the one that holds the sample" in message


def test_several_columns_of_labels():
    rows = {"text": list("abcd"), "warm": [0, 1, 1, 0], "wet": [1, 0, 1, 0], "deep": [0, 0, 0, 1]}
    dataset = read_dataset(rows, columns="text=text,label=warm+wet+deep")
    assert (dataset.task.kind, dataset.class_names) == ("multilabel", ("warm", "wet"))
    np.testing.assert_array_equal(dataset.labels, [[0, 1], [1, 0], [1, 1], [0, 0]])
    assert str(dataset.exclusions[0]) == (
        "1 label is left out, which fewer than two rows have or fewer than two lack (deep)"
    )
    outputs = {"text": list("abc"), "x": [0.5, 1.5, 2], "y": [1, 2, 3.5]}
    dataset = read_dataset(outputs, columns="text=text,label=x+y")
    assert (dataset.task.kind, dataset.labels.shape) == ("regression", (3, 2))


def test_lists_of_names():
    labels = [["sad", "wet"], ["wet"], [], ["sad"], None]
    dataset = read_dataset({"text": list("abcde"), "labels": labels})
    assert (dataset.task.kind, dataset.class_names) == ("multilabel", ("sad", "wet"))
    np.testing.assert_array_equal(dataset.labels, [[1, 1], [0, 1], [0, 0], [1, 0]])
    assert str(dataset.exclusions[1]) == "1 row left out: have no label (row 4)"


def test_groups_are_kept_with_their_rows():
    rows = {"text": list("abcde"), "label": [0, 1, 0, 1, None], "who": ["x", "y", "x", "", "y"]}
    dataset = read_dataset(rows, columns="text=text,label=label,group=who")
    assert len(set(dataset.groups.tolist())) == 3
    assert dataset.groups[0] == dataset.groups[2]


def test_copies_across_splits_are_counted():
    rows = {
        "text": ["a", "b", "a", "c", "b", "e"],
        "label": [0, 1, 0, 1, 1, 0],
        "split": ["train"] * 4 + ["test"] * 2,
    }
    assert [str(e) for e in read_dataset(rows).exclusions] == [
        "1 row is a copy of another row",
        "1 row is also in the split 'test'",
    ]


def test_a_path_in_a_table_may_not_lead_outside(tmp_path, encoded):
    (tmp_path / "in").mkdir()
    for k in range(4):
        (tmp_path / f"in/{k}.png").write_bytes(encoded(seed=k))
    table = tmp_path / "in" / "a.csv"
    table.write_text("file,label\n" + "".join(f"{k}.png,{k % 2}\n" for k in range(4)))
    dataset = read_dataset(table)
    assert (dataset.modality, len(dataset)) == ("image", 4)
    table.write_text("file,label\n../a.png,0\n1.png,1\n")
    assert refused(table) == (
        "Each file named in a table must lie beside it or below; got '../a.png'."
    )
