from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
from numpy.testing import assert_allclose

from transferscore.encoders import OnnxEncoder
from transferscore.errors import EncoderError

RNG = np.random.default_rng(0)
WEIGHTS = RNG.normal(size=(1, 3)).astype(np.float32)


@dataclass(frozen=True)
class Sound:
    """One tone at any rate: as many samples as its seconds have."""

    seconds: float
    name: str = "tone.wav"

    def read(self, rate: int) -> np.ndarray:
        times = np.arange(round(self.seconds * rate)) / rate
        return np.sin(2 * np.pi * 5 * times).astype(np.float32) + 0.5


def encode(encoder, samples):
    return encoder.forward(encoder.prepare(samples))


@pytest.fixture
def build(build_onnx):
    """Features `(b, t, 3)` of a wave `(b, t, 1)`: each value times three weights."""

    def make(shape, metadata=None):
        return build_onnx(
            [("MatMul", ["wave", "w"], "steps")],
            inputs={"wave": ("FLOAT", shape)},
            outputs=["steps"],
            weights={"w": WEIGHTS},
            metadata=metadata,
        )

    return make


def test_a_sound_is_read_at_the_rate_that_the_model_states(build):
    encoder = OnnxEncoder(build([None, None, 1], {"sample_rate": "100"}), output="steps")
    sounds = [Sound(1.0), Sound(0.55), Sound(1.0)]
    encoding = encode(encoder, sounds)
    expected = [sound.read(100).mean() * WEIGHTS[0] for sound in sounds]
    assert_allclose(encoding.features, expected, atol=1e-5)
    assert encoding.logits is None


def test_a_rate_of_the_uri_counts_and_changes_the_digest(build):
    path = build([None, None, 1], {"sample_rate": "100"})
    stated, asked = OnnxEncoder(path, output="steps"), OnnxEncoder(path, output="steps", rate=37)
    assert len(asked.prepare([Sound(1.0)]).waves[0]) == 37
    assert stated.digest() != asked.digest()


def test_without_a_rate_the_user_is_asked_for_it(build):
    path = build([None, None, 1])
    with pytest.raises(EncoderError) as raised:
        OnnxEncoder(path, output="steps").prepare([Sound(1.0)])
    assert str(raised.value) == (
        f"`onnx:{path}#steps` takes sounds, and its metadata has no `sample_rate`. Say at how many "
        f"hertz with `?rate=`, as in `?rate=16000`."
    )


@pytest.mark.parametrize("batch", [None, 1, 3])
def test_a_model_of_fixed_length_hears_a_sound_in_windows(build, batch):
    encoder = OnnxEncoder(build([batch, 40, 1], {"sample_rate": "100"}), output="steps")
    sounds = [Sound(1.0), Sound(0.2), Sound(0.8), Sound(0.41)]
    expected = [sound.read(100).mean() * WEIGHTS[0] for sound in sounds]
    # The silence that fills the last window up is left out, so the mean is that of the sound.
    assert_allclose(encode(encoder, sounds).features, expected, atol=1e-5)


def test_a_very_short_sound_is_filled_up_with_silence(build):
    encoder = OnnxEncoder(build([None, None, 1], {"sample_rate": "100"}), output="steps")
    (wave,) = encoder.prepare([Sound(0.03)]).waves
    assert_allclose(wave, np.pad(Sound(0.03).read(100), (0, 7)))


def test_logits_that_grow_with_the_sound_are_no_classes(build_onnx):
    path = build_onnx(
        [
            ("ReduceMean", ["wave"], "features", {"axes": [1], "keepdims": 1}),
            ("Identity", ["wave"], "logits"),
        ],
        inputs={"wave": ("FLOAT", [None, None])},
        outputs=["features", "logits"],
        metadata={"sample_rate": "100"},
    )
    assert encode(OnnxEncoder(path), [Sound(1.0)]).logits is None
    classes = build_onnx(
        [
            ("ReduceMean", ["wave"], "features", {"axes": [1], "keepdims": 1}),
            ("MatMul", ["features", "w"], "logits"),
        ],
        inputs={"wave": ("FLOAT", [None, None])},
        outputs=["features", "logits"],
        weights={"w": WEIGHTS},
        metadata={"sample_rate": "100"},
        file="classes.onnx",
    )
    assert encode(OnnxEncoder(classes), [Sound(1.0), Sound(0.5)]).logits.shape == (2, 3)
