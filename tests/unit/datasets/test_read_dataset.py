"""Tests of the one door, `transferscore.datasets.read`."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

import transferscore.datasets as public
from transferscore.datasets import CLASSIFICATION, dataset_from_arrays, read_dataset
from transferscore.errors import DatasetError, UnknownNameError

SUPPORTED = (
    "a folder of images or sounds, or a file .csv, .json, .jsonl, .ndjson, .npz, .parquet, "
    ".safetensors, .tar, .tsv, .zip, or hf:NAME for a dataset of the Hugging Face hub"
)


@pytest.fixture
def dataset():
    return dataset_from_arrays(np.eye(4), [0, 1, 0, 1])


def refused(*args, **options) -> str:
    with pytest.raises(DatasetError) as error:
        read_dataset(*args, **options)
    return str(error.value)


def test_a_dataset_is_returned_as_it_is(dataset):
    assert read_dataset(dataset) is dataset
    assert read_dataset(dataset, task="classification") is dataset
    assert read_dataset(dataset, task=CLASSIFICATION) is dataset


def test_a_dataset_cannot_be_made_another(dataset):
    assert refused(dataset, task="regression") == (
        "`task` must be that of the Dataset ('classification'); got 'regression'."
    )
    assert refused(dataset, split="test") == (
        "`split` must be that of the Dataset (None); got 'test'."
    )
    assert refused(dataset, labels=[1]) == (
        "`labels` go with samples in memory; a Dataset brings its own."
    )


def test_arrays_with_labels():
    assert read_dataset(np.eye(4), labels=[0, 1, 0, 1]).modality == "array"
    assert read_dataset(["a", "b", "c", "d"], labels=[0, 1, 0, 1]).modality == "text"
    assert refused(np.eye(4)) == "`labels` must have one entry per row of `X`; got None."
    assert refused(np.eye(4), labels=[0, 1, 0, 1], split="train") == (
        "Arrays have no splits; got `split='train'`. Leave it out."
    )


def test_a_path_brings_its_own_labels(tmp_path):
    path = str(tmp_path / "a.csv")
    assert refused(path, labels=[0]) == (
        f"`labels` go with samples in memory; `{path}` brings its own."
    )


def test_a_path_that_is_not_there(tmp_path):
    path = tmp_path / "a.csv"
    assert refused(path) == f"`{path}` does not exist; expected {SUPPORTED}."


def test_a_file_of_another_kind(tmp_path):
    path = tmp_path / "a.xlsx"
    path.write_bytes(b"PK")
    assert refused(path) == f"`{path}` cannot be read as a dataset; expected {SUPPORTED}."


def test_a_path_that_the_system_refuses(tmp_path, monkeypatch):
    path = tmp_path / "a.csv"
    path.touch()

    def denied(_: object) -> bytes:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("pathlib.Path.read_bytes", denied)
    assert refused(path) == f"`{path}` cannot be read: Permission denied."


def test_a_home_folder_is_found(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "a.csv").write_text("text,label\na,0\nb,1\nc,0\nd,1\n")
    assert len(read_dataset("~/a.csv")) == 4


def test_an_unknown_task():
    with pytest.raises(UnknownNameError) as error:
        read_dataset("nowhere.csv", task="ranking")
    assert str(error.value) == (
        "`task` must be one of classification, multilabel, regression, token_classification; "
        "got 'ranking'."
    )


def test_the_public_names_are_sorted_and_there():
    # As ruff sorts them: constants, then classes, then functions.
    kinds = [(not name.isupper(), not name[0].isupper(), name) for name in public.__all__]
    assert kinds == sorted(kinds)
    assert all(hasattr(public, name) for name in public.__all__)


def test_importing_loads_nothing_heavy():
    heavy = "{'PIL', 'torch', 'sklearn', 'transformers', 'pandas', 'scipy', 'onnxruntime'}"
    code = f"import sys, transferscore.datasets; print(sorted({heavy} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
