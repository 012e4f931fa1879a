"""Sequences of words as a dataset: sampling, tags without words like them, digests."""

from __future__ import annotations

import numpy as np
import pytest

from transferscore.datasets import (
    TableRow,
    TextPair,
    TokenSequence,
    read_dataset,
    sample_dataset,
    sample_digests,
)
from transferscore.datasets.selection import select_rows
from transferscore.errors import DatasetError

WORDS = [["a", "b"], ["c"], ["d", "e", "f"], ["g", "h"]]
TAGS = [["X", "O"], ["O"], ["O", "Y", "X"], ["O", "O"]]


def tagged():
    return read_dataset(WORDS, labels=TAGS)


def test_rows_keep_their_words_and_tags():
    chosen = select_rows(tagged(), np.array([0, 2]))
    assert [sample.words for sample in chosen.samples] == [("a", "b"), ("d", "e", "f")]
    assert [chosen.class_names[k] if k >= 0 else None for k in chosen.labels] == [
        "X", "O", "O", None, "X",
    ]  # fmt: skip
    assert chosen.groups.tolist() == [0, 0, 1, 1, 1]
    assert chosen.rows.tolist() == [0, 2]


def test_a_tag_that_one_word_has_is_no_class():
    dataset = tagged()
    assert dataset.class_names == ("O", "X")
    assert (dataset.labels == -1).tolist() == [k == 4 for k in range(8)]
    assert [str(e) for e in dataset.exclusions] == [
        "1 word is not scored, whose tag no other word has ('Y')"
    ]


def test_sentences_are_drawn_whole():
    dataset = read_dataset(WORDS * 10, labels=TAGS * 10)
    drawn = sample_dataset(dataset, 7, seed=1)
    assert len(drawn) == 7
    assert len(drawn.labels) == sum(map(len, drawn.samples)) == len(drawn.groups)
    assert drawn.groups.max() == 6
    np.testing.assert_array_equal(drawn.rows, sample_dataset(dataset, 7, seed=1).rows)


def test_a_sentence_needs_a_tag_per_word():
    rows = [{"tokens": ["a", "b"], "tags": ["X", "O"]}, {"tokens": ["c"], "tags": ["O", "O"]}]
    with pytest.raises(DatasetError) as error:
        read_dataset(rows)
    assert str(error.value) == (
        "Each row of `rows` must have one tag per word; row 1 has 1 words and 2 tags."
    )
    with pytest.raises(DatasetError, match="must have a column of lists of words"):
        read_dataset(["a", "b"], labels=["X", "O"], task="token_classification")


def test_class_ids_of_words_bear_their_names():
    datasets = pytest.importorskip("datasets")
    features = datasets.Features(
        tokens=datasets.List(datasets.Value("string")),
        ner_tags=datasets.List(datasets.ClassLabel(names=["O", "B-X"])),
    )
    rows = {"tokens": WORDS, "ner_tags": [[1, 0], [0], [0, 1, -100], [0, 0]]}
    dataset = read_dataset(datasets.Dataset.from_dict(rows, features=features.copy()))
    assert dataset.class_names == ("O", "B-X")
    assert dataset.labels.tolist() == [1, 0, 0, 0, 1, -1, 0, 0]
    assert "columns taken: tokens as tokens, ner_tags as label" in str(dataset.exclusions[0])


def digests(*samples) -> set[str]:
    return {
        digest
        for sample in samples
        for digest in sample_digests(read_dataset([sample, sample], labels=[0.5, 1.0]))
    }


def test_digests_tell_where_one_text_ends_and_the_next_begins():
    assert len(digests("ab", ("a", "b"), ("ab", ""), ("a\0", "b"), TextPair("b", "a"))) == 5
    sequences = [TokenSequence(("a", "b")), TokenSequence(("ab",)), TokenSequence(("b", "a"))]
    tags = [["X", "O"], ["O", "X"]] * 2
    made = {
        sample_digests(read_dataset([s] * 4, labels=[pair[: len(s)] for pair in tags]))[0]
        for s in sequences
    }
    assert len(made) == 3


def test_digests_of_table_rows_are_those_of_columns_and_values():
    table = {"a": [1, 2, 1], "b": ["x", "y", "x"], "label": [0.5, 1.5, 2]}
    first, second, third = sample_digests(read_dataset(table))
    assert (first == third, first == second) == (True, False)
    renamed = sample_digests(read_dataset({"c": table["a"], "b": table["b"], "label": [0, 1, 0.5]}))
    assert renamed[0] != first
    assert isinstance(read_dataset(table).samples[0], TableRow)
