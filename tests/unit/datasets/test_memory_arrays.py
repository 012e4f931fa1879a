"""Tests of `transferscore.datasets.arrays`."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from transferscore.datasets import dataset_from_arrays
from transferscore.errors import DatasetError, UnknownNameError

LABELS = [0, 1, 0, 1]


def refused(X, labels, **options) -> str:
    with pytest.raises(DatasetError) as error:
        dataset_from_arrays(X, labels, **options)
    return str(error.value)


@pytest.mark.parametrize("shape", [(4, 3), (4, 2, 3), (4, 8, 8, 3)])
def test_rows_of_numbers(shape):
    X = np.random.default_rng(0).normal(size=shape).astype(np.float32)
    dataset = dataset_from_arrays(X, LABELS, name="mine")
    assert (dataset.name, dataset.modality, len(dataset)) == ("mine", "array", 4)
    assert dataset.samples is X
    assert dataset.labels.tolist() == LABELS
    assert (dataset.rows.tolist(), dataset.n_source_rows) == ([0, 1, 2, 3], 4)


def test_rows_without_a_label_are_left_out():
    X = np.arange(12.0).reshape(6, 2)
    dataset = dataset_from_arrays(X, np.array([0, np.nan, 1, 0, 1, 7]))
    np.testing.assert_array_equal(dataset.samples, X[[0, 2, 3, 4]])
    assert dataset.class_names == ("0", "1")
    assert [str(exclusion) for exclusion in dataset.exclusions] == [
        "1 row left out: have no label (row 1)",
        "1 row left out: the only sample of a class ('7')",
    ]


@pytest.mark.parametrize("kind", [list, tuple, np.array, lambda x: np.array(x, dtype=object)])
def test_strings_are_texts(kind):
    dataset = dataset_from_arrays(kind(["a", "b", "c", "d"]), ["x", "y", "x", "y"])
    assert (dataset.modality, dataset.samples) == ("text", ("a", "b", "c", "d"))
    assert dataset.class_names == ("x", "y")


def test_columns_of_a_data_frame():
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame({"text": list("abcde"), "label": ["x", "y", "x", "y", None]})
    dataset = dataset_from_arrays(frame["text"], frame["label"])
    assert dataset.samples == ("a", "b", "c", "d")
    assert dataset.exclusions[0].count == 1
    numbers = pandas.DataFrame({"a": range(4), "b": range(4)})
    labels = pandas.Series([1, 0, pandas.NA, 1], dtype="Int64")
    assert dataset_from_arrays(numbers, [0, 1, 0, 1]).samples.shape == (4, 2)
    with pytest.raises(DatasetError, match="one class only"):
        dataset_from_arrays(numbers, labels)


def test_images_of_every_kind(tmp_path, encoded):
    (tmp_path / "a.png").write_bytes(encoded())
    pixels = np.zeros((7, 5, 3), dtype=np.uint8)
    X = [Image.fromarray(pixels), pixels, tmp_path / "a.png", tmp_path / "gone.png", None, pixels]
    dataset = dataset_from_arrays(X, [0, 1, 0, 1, 1, 1])
    assert dataset.modality == "image"
    assert [sample.name for sample in dataset.samples] == [
        "row 0",
        "row 1",
        str(tmp_path / "a.png"),
        "row 5",
    ]
    assert [sample.pixels().shape for sample in dataset.samples] == [(7, 5, 3)] * 4
    assert [str(exclusion) for exclusion in dataset.exclusions] == [
        "2 rows left out: have no sample (None), or name a file that is not there (row 3, row 4)"
    ]


def test_strings_that_are_all_image_files_are_images(tmp_path, encoded):
    paths = [tmp_path / f"{number}.png" for number in range(4)]
    for path in paths:
        path.write_bytes(encoded())
    assert dataset_from_arrays(list(map(str, paths)), LABELS).modality == "image"
    assert dataset_from_arrays([*map(str, paths[:3]), "a text"], LABELS).modality == "text"
    assert dataset_from_arrays([f"no_such_{n}.png" for n in range(4)], LABELS).modality == "text"


def test_labels_of_every_kind():
    X = np.eye(4)
    for labels in ([True, False] * 2, np.array([1, 0, 1, 0], dtype=np.uint8), ("b", "a") * 2):
        assert dataset_from_arrays(X, labels).labels.tolist() == [1, 0, 1, 0]
    assert dataset_from_arrays(X, np.array([[1], [0], [1], [0]])).labels.shape == (4,)
    assert dataset_from_arrays(X, ["10", "9", "10", "9"]).class_names == ("9", "10")


def test_integers_with_fractions_beside_them_are_regression():
    dataset = dataset_from_arrays(np.eye(4), [0.5, 1, 2, 3])
    assert (dataset.task.kind, dataset.labels.dtype) == ("regression", np.float64)


def test_the_task_that_is_asked_for_wins():
    X = np.eye(4)
    assert dataset_from_arrays(X, [1, 2, 3, 4], task="regression").n_classes == 0
    classes = dataset_from_arrays(X, [0.5, 1.5, 0.5, 1.5], task="classification")
    assert classes.class_names == ("0.5", "1.5")
    with pytest.raises(UnknownNameError):
        dataset_from_arrays(X, LABELS, task="clustering")


def test_float32_labels_keep_their_value():
    labels = np.array([0.1, 0.2, 0.3, 0.4], dtype=np.float32)
    dataset = dataset_from_arrays(np.eye(4), labels)
    np.testing.assert_array_equal(dataset.labels, labels.astype(np.float64))


def test_several_labels_a_row():
    X = np.eye(4)
    dataset = dataset_from_arrays(X, [[0, 1], [1, 1], [0, 0], [1, 0]])
    assert (dataset.task.kind, dataset.class_names) == ("multilabel", ("0", "1"))
    assert (dataset.labels.dtype, dataset.labels.shape) == (np.float64, (4, 2))
    numbers = dataset_from_arrays(X, np.array([[0.5, 1], [1, np.nan], [2, 1], [3, 0]]))
    assert (numbers.task.kind, numbers.labels.shape) == ("regression", (3, 2))
    assert numbers.exclusions[0].examples == ("row 1",)


@pytest.mark.parametrize(
    ("X", "labels", "options", "message"),
    [
        (np.eye(4), [0, 1], {}, "`labels` must have one entry per row of `X` (4); got 2."),
        (np.eye(4), None, {}, "`labels` must have one entry per row of `X`; got None."),
        (
            np.eye(2),
            [[0, 1], [1]],
            {},
            "`array` has no label that at least two rows have and two lack. 2 labels are left out, "
            "which fewer than two rows have or fewer than two lack (0, 1).",
        ),
        (
            np.arange(4),
            LABELS,
            {},
            "`X` must be a numeric array of shape (n_samples, ...) with at least two dimensions; "
            "got int64 of shape (4,).",
        ),
        (
            np.eye(2),
            [[0, 1], [1, 1]],
            {"task": "classification"},
            "`array` has 2 labels a row, but classification takes one; pass one class a row, or "
            "task='multilabel'.",
        ),
        (
            np.eye(2),
            [0.5, np.inf],
            {"task": "regression"},
            "`array` must have finite numbers as labels for task='regression'; got inf in row 1.",
        ),
        (
            np.eye(2),
            [[0.5, 1], [0, np.inf]],
            {},
            "`array` must have finite numbers as labels for task='regression'; "
            "got an infinite value in row 1.",
        ),
        (
            np.eye(2),
            [1, 1],
            {"name": "mine"},
            "`mine` has one class only ('1'); ranking needs at least two.",
        ),
        (np.zeros((0, 2)), [], {}, "`array` has no usable rows."),
        ([], [], {}, "`array` has no usable rows."),
        (
            [1, 2],
            [0, 1],
            {},
            "`X` must be a numeric array, or a list of strings, of pairs of strings, of lists of "
            "words, of PIL images, of uint8 arrays (H, W, 3), or of image or audio files; "
            "got int in row 0.",
        ),
        (
            {"a": 1},
            [0],
            {},
            "`X` must be a numeric array, or a list of strings, of pairs of strings, of lists of "
            "words, of PIL images, of uint8 arrays (H, W, 3), or of image or audio files; "
            "got dict.",
        ),
    ],
)
def test_what_is_refused(X, labels, options, message):
    assert refused(X, labels, **options) == message


def test_a_path_is_an_image_of_its_own(tmp_path):
    assert refused(Path(tmp_path), [0]).endswith("got PosixPath.")
