from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose

from transferscore.encoders import CallableEncoder
from transferscore.errors import EncoderError

ROWS = np.random.default_rng(0).normal(size=(4, 3))


def lengths(texts):
    return [[len(text), text.count("a")] for text in texts]


def encode(encoder, samples):
    return encoder.forward(encoder.prepare(samples))


def test_text_comes_as_a_list_and_the_name_is_the_functions():
    encoder = CallableEncoder(lengths)
    assert encoder.name == "lengths"
    assert CallableEncoder(lengths, name="mine").name == "mine"
    assert encoder.digest() is None
    features = encode(encoder, ["aa", "b"]).features
    assert features.dtype == np.float32
    assert features.tolist() == [[2, 2], [1, 0]]


def test_arrays_come_stacked_and_images_as_pil(images):
    assert_allclose(encode(CallableEncoder(lambda x: x * 2), list(ROWS)).features, ROWS * 2, 1e-6)
    sizes = encode(CallableEncoder(lambda x: np.array([image.size for image in x])), images)
    assert sizes.features.tolist() == [[10, 12]] * 5


def test_a_pair_is_features_and_logits():
    encoding = encode(CallableEncoder(lambda x: (x, x[:, :2])), list(ROWS))
    assert_allclose(encoding.logits, ROWS[:, :2], 1e-6)


def test_torch_tensors_are_taken():
    torch = pytest.importorskip("torch")
    encoder = CallableEncoder(lambda x: torch.from_numpy(x).requires_grad_())
    assert_allclose(encode(encoder, list(ROWS)).features, ROWS, 1e-6)


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (
            lambda x: x[:3],
            "`f` must return features (b, d) with one row for each of its 4 samples; "
            "got shape (3, 3).",
        ),
        (
            lambda x: x[:, 0],
            "`f` must return features (b, d) with one row for each of its 4 samples; "
            "got shape (4,).",
        ),
        (
            lambda x: (x, x[:2]),
            "`f` must return logits (b, C) with one row for each of its 4 samples; "
            "got shape (2, 3).",
        ),
        (
            lambda x: x.nothing,
            "`f` could not be run: 'numpy.ndarray' object has no attribute 'nothing'",
        ),
        (
            lambda x: ["a"] * len(x),
            "`f` could not be read: it must return an array: "
            "could not convert string to float: 'a'",
        ),
    ],
)
def test_what_a_function_may_not_do(function, message):
    with pytest.raises(EncoderError) as raised:
        encode(CallableEncoder(function, name="f"), list(ROWS))
    assert str(raised.value) == message


def test_unknown_samples_are_refused():
    with pytest.raises(EncoderError) as raised:
        CallableEncoder(lengths).prepare([3])
    assert str(raised.value) == (
        "A sample must be an image, a sound, a text, a pair or a token sequence of a dataset, or "
        "a numpy array; got int. Read the data with `read_dataset` or `dataset_from_arrays`."
    )


def test_mixed_samples_are_refused():
    with pytest.raises(EncoderError) as raised:
        CallableEncoder(lengths).prepare(["a", np.zeros(2)])
    assert str(raised.value) == "`lengths` takes text; got arrays."
