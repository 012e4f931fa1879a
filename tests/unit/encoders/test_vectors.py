"""Word vectors: which words are found, what a text is, and files that are none."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from transferscore.datasets import TextPair, TokenSequence
from transferscore.datasets.images import ImageSample
from transferscore.encoders import VectorsEncoder, resolve_encoder
from transferscore.encoders.profile import profile
from transferscore.errors import EncoderError

ZOO = Path(__file__).parents[3] / "../shared/zoo/models/text"
WORDS = ["cat", "Rome", "n't", "do", "."]
VECTORS = np.array([[1, 0], [0, 2], [4, 4], [8, 0], [0, 16]], dtype=np.float16)


@pytest.fixture
def file(tmp_path):
    np.savez(tmp_path / "words.npz", words=np.array(WORDS), vectors=VECTORS)
    return tmp_path / "words.npz"


def features(encoder, samples):
    return encoder.forward(encoder.prepare(samples)).features


def test_a_text_is_the_mean_of_its_words(file):
    encoder = resolve_encoder(f"vectors:{file}")
    texts = ["cat", "Cat Rome", "the cat's Rome.", "rome", "", "unknown words"]
    expected = [[1, 0], [0.5, 1], [1 / 3, 6], [0, 0], [0, 0], [0, 0]]
    assert_allclose(features(encoder, texts), expected, rtol=1e-6)


def test_a_word_is_looked_up_whole_before_it_is_taken_apart(file):
    assert_array_equal(features(VectorsEncoder(file), ["n't", "do."]), [[4, 4], [4, 8]])


def test_max_pooling_and_pairs_and_words(file):
    assert_array_equal(features(VectorsEncoder(file, pooling="max"), ["cat Rome"]), [[1, 2]])
    pair = features(VectorsEncoder(file), [TextPair("cat", "do")])
    assert_array_equal(pair, [[7, 0, 8, 0]])
    sequences = [TokenSequence(("Cat", "unknown")), TokenSequence(("Rome",))]
    encoder = VectorsEncoder(file)
    encoding = encoder.forward(encoder.prepare(sequences))
    assert_array_equal(encoding.features, [[1, 0], [0, 0], [0, 2]])
    assert_array_equal(encoding.word_mask, [True, True, True])


def test_a_profile_and_why_it_cannot_be_trained(file):
    from transferscore.encoders import trainable_model

    known = profile(f"vectors:{file}")
    assert (known.parameters, known.n_features, known.memory_bytes) == (10, 2, 40)
    assert (known.flops, known.flops_input, known.weights_format) == (256, "128 words", "npz")
    with pytest.raises(EncoderError, match="it is a table of word vectors, without a network"):
        trainable_model(VectorsEncoder(file), ["cat"])


def test_images_are_refused(file):
    image = ImageSample.from_array(np.zeros((4, 4, 3), dtype=np.uint8))
    with pytest.raises(EncoderError, match=re.escape(f"`vectors:{file}` takes text; got images.")):
        VectorsEncoder(file).prepare([image])


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"words": np.array(["a"])}, "must have the arrays `words` and `vectors`; it lacks vector"),
        (
            {"words": np.array(["a", "b"]), "vectors": np.zeros((1, 3))},
            r"must have `words` \(n,\) of text and `vectors` \(n, d\) of floats; got <U1 \(2,\)",
        ),
        ({"words": np.array(["a"]), "vectors": np.array([[np.nan]])}, "must be finite"),
        (
            {"words": np.array(["a"], dtype=object), "vectors": np.zeros((1, 3))},
            r"cannot be read as word vectors, .* Object arrays cannot be loaded",
        ),
    ],
)
def test_other_arrays_are_refused_and_nothing_is_unpickled(arrays, message, tmp_path):
    np.savez(tmp_path / "other.npz", **arrays)
    with pytest.raises(EncoderError, match=message):
        VectorsEncoder(tmp_path / "other.npz").prepare(["a"])


def test_a_file_cut_in_half_and_one_of_another_kind(file, tmp_path):
    whole = file.read_bytes()
    for content in (whole[: len(whole) // 2], b"words", b""):
        (tmp_path / "half.npz").write_bytes(content)
        with pytest.raises(EncoderError, match=r"half.npz` cannot be read as word vectors"):
            VectorsEncoder(tmp_path / "half.npz").prepare(["a"])
    np.save(tmp_path / "one.npy", VECTORS)
    with pytest.raises(EncoderError, match=r"one.npy` cannot be read as word vectors"):
        VectorsEncoder(tmp_path / "one.npy").prepare(["a"])
    with pytest.raises(EncoderError, match="There is no file"):
        VectorsEncoder(tmp_path / "none.npz").prepare(["a"])


@pytest.mark.skipif(not ZOO.is_dir(), reason="the zoo is not beside this checkout")
def test_real_vectors_put_like_words_together():
    encoder = VectorsEncoder(ZOO / "glove_6B_300d_subset.npz")
    vectors = features(encoder, ["Bread, broth", "breakfast", "two three"])
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    assert unit[0] @ unit[1] > unit[0] @ unit[2] + 0.1
