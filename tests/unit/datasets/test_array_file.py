from __future__ import annotations

import numpy as np
import pytest

from transferscore.datasets import read_dataset
from transferscore.errors import DatasetError

X = np.arange(12, dtype=np.float32).reshape(4, 3)
Y = np.array([0, 1, 0, 1])


@pytest.fixture
def saved(tmp_path):
    def save(**arrays):
        path = tmp_path / "block.npz"
        np.savez(path, **arrays)
        return path

    return save


def refused(path) -> str:
    with pytest.raises(DatasetError) as error:
        read_dataset(path)
    return str(error.value)


@pytest.mark.parametrize("names", [("features", "labels"), ("X", "y")])
def test_reads_rows_and_labels(saved, names):
    path = saved(**dict(zip(names, (X, Y), strict=True)), source_probabilities=np.eye(9))
    dataset = read_dataset(path)
    assert (dataset.name, dataset.modality, dataset.split) == ("block", "array", None)
    np.testing.assert_array_equal(dataset.samples, X)
    assert dataset.labels.tolist() == [0, 1, 0, 1]


def test_names_and_splits(saved):
    labels = np.array(["b", "a", "b", "a"])
    path = saved(X=np.tile(X, (2, 1)), y=np.tile(labels, 2), split=["train"] * 4 + ["test"] * 4)
    dataset = read_dataset(path)
    assert (len(dataset), dataset.n_source_rows, dataset.split) == (4, 8, "train")
    assert (dataset.class_names, dataset.labels.tolist()) == (("a", "b"), [1, 0, 1, 0])
    assert read_dataset(path, split="test").rows.tolist() == [4, 5, 6, 7]


def test_a_published_file_names_what_it_has(zoo):
    path = zoo / "datasets/features/choi2017_music_transfer/gtzan_speechmusic.npz"
    assert refused(path) == (
        f"In `{path}`: there must be an array called 'features' or 'X'; "
        "there are mfcc, layer_0, layer_1, layer_2, layer_3, layer_4, label."
    )


def test_arrays_that_do_not_fit(saved):
    path = saved(X=X, y=Y[:3])
    assert refused(path) == (
        f"In `{path}`: `labels` must have one entry per row of the features (4); got 3."
    )
    path = saved(X=X, y=Y, split=["train"])
    assert refused(path) == (
        f"In `{path}`: `split` must have one entry per row of the features (4); got 1."
    )
    path = saved(X=X[:, 0], y=Y)
    assert refused(path) == (
        f"In `{path}`: `features` must be a numeric array of shape (n_samples, ...) with at least "
        "two dimensions; got float32 of shape (4,)."
    )


def test_pickled_objects_are_not_unpickled(saved):
    path = saved(X=X, y=np.array([{}, {}, {}, {}], dtype=object))
    assert refused(path) == (
        f"`{path}` cannot be read as an .npz file: "
        "Object arrays cannot be loaded when allow_pickle=False."
    )


@pytest.mark.parametrize("content", [b"", b"no archive", b"PK\x03\x04 cut"])
def test_files_that_are_none(tmp_path, content):
    path = tmp_path / "a.npz"
    path.write_bytes(content)
    assert refused(path).startswith(f"`{path}` cannot be read as an .npz file: ")


def test_a_bare_array_is_no_archive(tmp_path):
    path = tmp_path / "a.npz"
    with path.open("wb") as file:
        np.save(file, X)
    assert refused(path) == f"`{path}` cannot be read as an .npz file: it is a single array."
