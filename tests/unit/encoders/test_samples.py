from __future__ import annotations

import numpy as np
import pytest

from transferscore.datasets import AudioSample, ImageSample, TableRow, TextPair, TokenSequence
from transferscore.encoders import ModuleEncoder, OnnxEncoder
from transferscore.encoders.samples import NOUNS, modality_of, text_cost
from transferscore.errors import EncoderError

SAMPLES = {
    "image": ImageSample.from_array(np.zeros((4, 4, 3), dtype=np.uint8)),
    "audio": AudioSample.from_array(np.zeros(10, dtype=np.float32), 8000),
    "text": "a text",
    "text_pair": TextPair("one", "two"),
    "tokens": TokenSequence(("one", "two")),
    "table": TableRow(("age",), (3.0,)),
    "array": np.zeros(3),
}


@pytest.mark.parametrize("modality", SAMPLES)
def test_each_kind_of_sample_of_a_dataset_is_known(modality):
    assert modality_of(SAMPLES[modality]) == modality
    assert modality in NOUNS


def test_texts_cost_their_tokens():
    assert text_cost("a" * 400) == 101
    assert text_cost(TextPair("a" * 400, "")) == 102
    assert text_cost(TokenSequence(("abcd", "abcdefgh"))) == 2 + 3
    assert text_cost(SAMPLES["image"]) == 0


@pytest.mark.parametrize("modality", ["text_pair", "tokens", "table", "audio"])
def test_what_a_graph_of_images_cannot_read_is_named(build_onnx, modality):
    path = build_onnx(
        [("GlobalAveragePool", ["image"], "features")],
        inputs={"image": ("FLOAT", [None, 3, 8, 8])},
        outputs=["features"],
    )
    with pytest.raises(EncoderError) as raised:
        OnnxEncoder(path).prepare([SAMPLES[modality]])
    assert str(raised.value) == f"`onnx:{path}` takes images; got {NOUNS[modality]}."


def test_what_a_module_cannot_read_by_itself_is_named():
    torch = pytest.importorskip("torch")
    with pytest.raises(EncoderError) as raised:
        ModuleEncoder(torch.nn.Flatten()).prepare([SAMPLES["audio"]])
    assert str(raised.value) == (
        "`Flatten` cannot read sounds by itself: pass `transform`, a function from a sample to the "
        "module's input, as in ModuleEncoder(module, transform=...)."
    )
