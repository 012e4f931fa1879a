from __future__ import annotations

import json
import re

import numpy as np
import pytest

from transferscore.datasets import read_dataset
from transferscore.errors import DatasetError

ROWS = "good,pos\nbad,neg\nfine,pos\npoor,neg\n"


@pytest.fixture
def written(tmp_path):
    """Writes a file and gives its path."""

    def write(content: str | bytes, name: str = "reviews.csv"):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write


def refused(path, **options) -> str:
    with pytest.raises(DatasetError) as error:
        read_dataset(path, **options)
    return str(error.value)


@pytest.mark.parametrize(
    ("file", "n_train", "n_all", "class_names"),
    [
        ("sst2", 1400, 2000, ("negative", "positive")),
        ("ag_news", 1400, 2000, ("Business", "Sci/Tech", "Sports", "World")),
        ("trec6", 1500, 1996, ("ABBR", "DESC", "ENTY", "HUM", "LOC", "NUM")),
        ("sms_spam", 1400, 2000, ("ham", "spam")),
    ],
)
def test_the_zoo(zoo, file, n_train, n_all, class_names):
    dataset = read_dataset(zoo / f"datasets/text/{file}.tsv")
    assert (dataset.name, dataset.modality, dataset.split) == (file, "text", "train")
    assert (len(dataset), dataset.n_source_rows) == (n_train, n_all)
    assert dataset.class_names == class_names
    assert dataset.exclusions == ()
    assert not any("\t" in text for text in dataset.samples)


def test_quoted_fields_of_the_zoo_lose_their_quotes(zoo):
    dataset = read_dataset(zoo / "datasets/text/sms_spam.tsv")
    assert any(text.startswith('"SYMPTOMS" when U are in love') for text in dataset.samples)


def test_text_pairs_of_the_zoo(zoo):
    dataset = read_dataset(zoo / "datasets/text/stsb_sub.tsv")
    assert (dataset.modality, dataset.task.kind) == ("text_pair", "regression")
    assert (len(dataset), dataset.labels.min(), dataset.labels.max()) == (1400, 0.0, 5.0)
    assert dataset.samples[1].first.startswith("Two women are posing")
    assert dataset.samples[1].second.startswith("Two smiling young women")
    assert str(dataset.exclusions[0]) == (
        "columns taken: sentence1 and sentence2 as text pair, score as label, split as split"
    )


def test_tagged_words_of_the_zoo(zoo):
    dataset = read_dataset(zoo / "datasets/text/wnut17_ner.jsonl")
    assert (dataset.modality, dataset.task.kind) == ("tokens", "token_classification")
    assert (len(dataset), dataset.n_classes) == (1400, 13)
    assert len(dataset.labels) == sum(map(len, dataset.samples)) == len(dataset.groups)
    assert "B-person" in dataset.class_names
    assert dataset.samples[1].words[:2] == ("RT", "@mashable")


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.csv", "text,label\n" + ROWS),
        ("a.csv", "label;TEXT\npos;good\nneg;bad\npos;fine\nneg;poor\n"),
        ("a.tsv", "Text\tLabel\r\n" + ROWS.replace(",", "\t").replace("\n", "\r\n")),
        ("a.CSV", "\ufefftext,label\n" + ROWS + "\n\n"),
        ("a.jsonl", re.sub(r"(.*),(.*)", r'{"text": "\1", "label": "\2"}\n', ROWS)),
        ("a.csv", "review,category\n" + ROWS),
        ("a.csv", "sentence,label,score\n" + ROWS.replace("\n", ",0.5\n")),
    ],
)
def test_formats_and_column_names(written, name, content):
    dataset = read_dataset(written(content, name))
    assert dataset.samples == ("good", "bad", "fine", "poor")
    assert dataset.class_names == ("neg", "pos")
    assert dataset.labels.tolist() == [1, 0, 1, 0]
    assert (dataset.split, dataset.name) == (None, "a")


def test_the_train_split_is_the_default(written):
    path = written("text,label,split\na,0,train\nb,1,train\nc,0,test\nd,1,train\ne,0,train\n")
    dataset = read_dataset(path)
    assert dataset.samples == ("a", "b", "d", "e")
    assert (dataset.rows.tolist(), dataset.n_source_rows) == ([0, 1, 3, 4], 5)
    assert refused(path, split="dev") == (
        f"`{path}` has no split 'dev'; it has 'train', 'test'. Say which one to read with `split`."
    )


def test_a_split_column_without_values_is_none(written):
    dataset = read_dataset(written("text,label,split\na,0,\nb,1,\nc,0,\nd,1,\n"))
    assert (len(dataset), dataset.split) == (4, None)


def test_unlabelled_rows_are_left_out_and_empty_texts_stay(written):
    path = written("text,label\n,0\nb,1\nc,\nd,NaN\ne,0\nf,1\ng,2\n")
    dataset = read_dataset(path)
    assert dataset.samples == ("", "b", "e", "f")
    assert [str(exclusion) for exclusion in dataset.exclusions] == [
        "2 rows left out: have no label (line 4, line 5)",
        "1 row left out: the only sample of a class ('2')",
    ]
    assert (dataset.rows.tolist(), dataset.n_source_rows) == ([0, 1, 4, 5], 7)


def test_json_values(written):
    rows = [
        {"text": "a", "label": 2},
        {"text": "b", "label": 10, "note": "x"},
        {"text": "c", "label": None},
        {"text": None, "label": 2},
        {"label": 2},
        {"text": "d\u2028d", "label": 2.0},
        {"text": "e", "label": "10"},
    ]
    dataset = read_dataset(written("\n".join(map(json.dumps, rows)), "a.jsonl"))
    assert dataset.samples == ("a", "b", "d\u2028d", "e")
    assert (dataset.class_names, dataset.labels.tolist()) == (("2", "10"), [0, 1, 0, 1])
    assert [str(exclusion) for exclusion in dataset.exclusions] == [
        "1 row left out: have no label (line 3)",
        "2 rows left out: have no text (line 4, line 5)",
        "some labels are texts and others numbers; all are read as names of classes "
        "('10' in line 7)",
    ]


def test_booleans_are_classes(written):
    lines = "\n".join(f'{{"text": "a", "label": {flag}}}' for flag in ("true", "false") * 2)
    assert read_dataset(written(lines, "a.jsonl")).class_names == ("False", "True")


def test_regression_is_seen_by_the_labels_or_asked_for(written):
    path = written("text,score\na,1.5\nb,2\nc,3\n")
    dataset = read_dataset(path)
    assert (dataset.task.kind, dataset.class_names) == ("regression", ())
    np.testing.assert_array_equal(dataset.labels, [1.5, 2, 3])
    asked = read_dataset(written("text,label\na,1\nb,2\nc,3\n"), task="regression")
    assert (asked.labels.dtype, asked.labels.tolist()) == (np.float64, [1, 2, 3])


def test_regression_with_words(written):
    path = written("text,label\na,1\nb,high\n")
    assert refused(path, task="regression") == (
        f"`{path}` must have finite numbers as labels for task='regression'; got 'high' in line 3."
    )


def test_a_constant_target(written):
    path = written("text,label\na,1.5\nb,1.5\n")
    assert refused(path) == (
        f"`{path}` has the same label (1.5) in every row; ranking needs labels that differ."
    )


def test_multilabel_needs_rows_of_labels(written):
    path = written("text,label\n" + ROWS)
    assert refused(path, task="multilabel") == (
        f"`{path}` must have a list of names, or a row of zeros and ones, per sample for "
        "task='multilabel'."
    )


def test_columns_that_could_both_be_meant(written):
    path = written("sentence,review,label\na,b,0\n")
    assert refused(path) == (
        f"`{path}` has several columns that may be the text: sentence, review. "
        "Rename the one that is meant to 'text', or name it with `columns`, as in text=sentence."
    )


def test_no_label_column(written):
    path = written("text,mood\na,b\n")
    assert refused(path) == (
        f"`{path}` must have a column 'label' (or one of class, category, target, y, score, "
        "labels, cls); its columns are text, mood. Rename the one that holds the label, or name it "
        "with `columns`, as in label=COLUMN."
    )


def test_bytes_that_are_not_utf8(written):
    path = written(b"text,label\ngood,a\ncaf\xe9,b\n")
    assert refused(path) == (
        f"`{path}` must be UTF-8 text; line 3 has the byte 0xe9, which is not. "
        "Save the file as UTF-8."
    )


def test_a_text_of_a_million_characters(written):
    long = "x" * 1_000_000
    dataset = read_dataset(written(f'text,label\n"{long}",0\nb,1\nc,0\nd,1\n'))
    assert dataset.samples[0] == long


def test_line_breaks_inside_quotes(written):
    dataset = read_dataset(written('text,label\n"a\nb, ""c""",0\nb,1\nc,0\nd,1\ne,\n'))
    assert dataset.samples[0] == 'a\nb, "c"'
    assert dataset.exclusions[0].examples == ("line 7",)


def test_a_tsv_with_bare_quotation_marks(written):
    path = written('text\tlabel\n"Well" he said\t0\n"open\t1\na"b\t0\n"d"\t1\n', "a.tsv")
    assert read_dataset(path).samples == ('"Well" he said', '"open', 'a"b', '"d"')


def test_a_csv_with_bare_quotation_marks(written):
    path = written('text,label\n"Well" he said,0\n')
    assert refused(path) == f"`{path}` is not well formed in line 2: ',' expected after '\"'."


def test_a_line_with_too_many_fields(written):
    path = written("text,label\na,0\nwell, well,1\n")
    assert refused(path) == (
        f"Each line of `{path}` must have the 2 columns of its header (text, label); line 3 has 3."
    )


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (
            "{text: 1}",
            "line 2 of `{}` is not JSON: Expecting property name enclosed in double quotes.",
        ),
        ("[1]", "line 2 of `{}` must be a JSON object with a text and a label; got [1]."),
        (
            '{"text": ["a", "b"], "label": 0}',
            "Each text in `{}` must be a string; got ['a', 'b'] in line 2.",
        ),
        (
            '{"text": "a", "label": [0, 1]}',
            "`{}` has a list of labels in line 2, but classification takes one; give one class a "
            "row, or a list in every row for task='multilabel'.",
        ),
        (
            "[" * 100_000,
            "line 2 of `{}` is not JSON: maximum recursion depth exceeded while "
            "decoding a JSON array from a unicode string.",
        ),
    ],
)
def test_lines_that_are_no_labelled_text(written, line, reason):
    path = written('{"text": "a", "label": 0}\n' + line, "a.jsonl")
    assert refused(path) == reason.format(path)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "`{}` is empty; expected a line with the names of the columns."),
        ("text,label\n", "`{}` has no rows."),
        ("text,label\na,\n", "`{}` has no usable rows. 1 row left out: have no label (line 2)."),
        ("text,label\na,x\nb,x\n", "`{}` has one class only ('x'); ranking needs at least two."),
    ],
)
def test_too_little(written, content, message):
    path = written(content)
    assert refused(path) == message.format(path)
