from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose

from transferscore.encoders import Encoder, FeaturesFile
from transferscore.errors import EncoderError

FEATURES = np.random.default_rng(0).normal(size=(10, 3)).astype(np.float16)
PROBABILITIES = np.full((10, 2), 0.5)
ROWS = np.array([7, 1, 4])


@pytest.fixture
def npz(tmp_path):
    def save(**arrays):
        path = tmp_path / "f.npz"
        np.savez(path, **arrays)
        return path

    return save


def test_rows_of_the_whole_dataset_are_picked(npz):
    path = npz(features=FEATURES, logits=FEATURES[:, :2])
    file = FeaturesFile(path)
    assert file.name == f"features:{path}"
    encoding = file.encoding_of_rows(ROWS, 10, 3)
    assert encoding.features.dtype == np.float32
    assert_allclose(encoding.features, FEATURES[ROWS])
    assert_allclose(encoding.logits, FEATURES[ROWS, :2])


def test_rows_of_the_sample_are_taken_as_they_are(npz):
    encoding = FeaturesFile(npz(features=FEATURES)).encoding_of_rows(np.arange(10), 400, 10)
    assert_allclose(encoding.features, FEATURES)
    assert encoding.logits is None


def test_another_number_of_rows_is_refused(npz):
    file = FeaturesFile(npz(features=FEATURES))
    with pytest.raises(EncoderError) as raised:
        file.encoding_of_rows(np.arange(80), 100, 80)
    assert str(raised.value) == (
        "`f.npz` has 10 rows of features; the dataset has 100 (sampled 80 of them). Give one row "
        "of features for each row of the dataset, in its order."
    )
    with pytest.raises(EncoderError, match=r"has 10 rows of features; the dataset has 100\. Give"):
        file.encoding_of_rows(np.arange(100), 100, 100)


def test_source_probabilities_become_logits(npz):
    file = FeaturesFile(npz(features=FEATURES, source_probabilities=PROBABILITIES))
    logits = file.encoding_of_rows(ROWS, 10, 3).logits
    assert_allclose(logits, np.log(PROBABILITIES[ROWS]), rtol=1e-6)


def test_another_array_can_be_named(npz):
    path = npz(features=FEATURES, conv=2 * FEATURES)
    file = FeaturesFile(path, array="conv")
    assert_allclose(file.encoding_of_rows(ROWS, 10, 3).features, 2 * FEATURES[ROWS])
    assert file.digest() != FeaturesFile(path).digest()


def test_npy_and_safetensors(tmp_path):
    from safetensors.numpy import save_file

    np.save(tmp_path / "f.npy", FEATURES)
    save_file({"features": FEATURES}, tmp_path / "f.safetensors")
    for name in ("f.npy", "f.safetensors"):
        encoding = FeaturesFile(tmp_path / name).encoding_of_rows(ROWS, 10, 3)
        assert_allclose(encoding.features, FEATURES[ROWS])


def test_release_reads_the_file_again(npz):
    file = FeaturesFile(npz(features=FEATURES))
    digest = file.digest()
    file.encoding_of_rows(ROWS, 10, 3)
    npz(features=FEATURES + 1)
    file.release()
    assert_allclose(file.encoding_of_rows(ROWS, 10, 3).features, (FEATURES + 1)[ROWS])
    assert file.digest() != digest


def test_is_no_encoder(npz):
    assert not isinstance(FeaturesFile(npz(features=FEATURES)), Encoder)


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"words": FEATURES}, "`f.npz` must have an array `features`; it has words."),
        (
            {"features": FEATURES[0]},
            "`features` of `f.npz` must be numbers of shape (n, d); got float16 of shape (3,).",
        ),
        (
            {"features": FEATURES, "logits": FEATURES[:4]},
            "`logits` of `f.npz` must be numbers of shape (10, C), a row for each row of features; "
            "got float16 of shape (4, 3).",
        ),
    ],
)
def test_arrays_that_will_not_do(npz, arrays, message):
    with pytest.raises(EncoderError) as raised:
        FeaturesFile(npz(**arrays)).encoding_of_rows(ROWS, 10, 3)
    assert str(raised.value) == message


def test_pickled_objects_are_refused(tmp_path):
    path = tmp_path / "f.npy"
    np.save(path, np.array([{}, {}], dtype=object), allow_pickle=True)
    with pytest.raises(EncoderError, match=r"f\.npy` cannot be read as \.npy: Object arrays"):
        FeaturesFile(path).encoding_of_rows(ROWS, 10, 3)


@pytest.mark.parametrize("suffix", [".npz", ".npy", ".safetensors"])
def test_files_of_another_kind(tmp_path, suffix):
    path = tmp_path / f"f{suffix}"
    path.write_bytes(b"nothing like it")
    with pytest.raises(EncoderError, match=rf"f\{suffix}` cannot be read as \{suffix}: "):
        FeaturesFile(path).encoding_of_rows(ROWS, 10, 3)


def test_other_suffixes(tmp_path):
    (tmp_path / "f.csv").touch()
    with pytest.raises(EncoderError) as raised:
        FeaturesFile(tmp_path / "f.csv").encoding_of_rows(ROWS, 10, 3)
    assert str(raised.value) == (
        "A file of features must end in .npy, .npz, .safetensors; got `f.csv`."
    )
