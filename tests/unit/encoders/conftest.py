from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from transferscore.datasets.images import ImageSample

# Of a tiny BERT for the words of `word_tokenizer`.
BERT = {
    "vocab_size": 6,
    "hidden_size": 8,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 16,
    "max_position_embeddings": 16,
}


def declare_torchvision_operators() -> None:
    """Schemas that a torchvision built for another torch cannot register; timm needs no more."""
    import torch

    for name in ("nms", "qnms"):
        try:
            getattr(torch.ops.torchvision, name)
        except AttributeError:
            schema = f"{name}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor"
            TORCHVISION.append(torch.library.Library("torchvision", "FRAGMENT"))
            TORCHVISION[-1].define(schema)


TORCHVISION: list[Any] = []  # a schema lives as long as its library


def make_image(seed: int = 0, size: tuple[int, int] = (12, 10)) -> ImageSample:
    pixels = np.random.default_rng(seed).integers(0, 256, (*size, 3), dtype=np.uint8)
    return ImageSample.from_array(pixels, f"image {seed}")


@pytest.fixture
def images() -> list[ImageSample]:
    return [make_image(seed) for seed in range(5)]


class OnnxBuilder:
    """Writes an ONNX file from (op, inputs, output, attributes) rows."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __call__(
        self,
        steps: list[tuple[Any, ...]],
        *,
        inputs: dict[str, tuple[str, list[int | str | None]]],
        outputs: list[str],
        weights: dict[str, np.ndarray] | None = None,
        metadata: dict[str, str] | None = None,
        file: str = "model.onnx",
        external: bool = False,
    ) -> Path:
        from onnx import TensorProto, helper, numpy_helper, save_model

        graph = helper.make_graph(
            [
                helper.make_node(op, given, [output], **(rest[0] if rest else {}))
                for op, given, output, *rest in steps
            ],
            "graph",
            [
                helper.make_tensor_value_info(name, getattr(TensorProto, kind), shape)
                for name, (kind, shape) in inputs.items()
            ],
            [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in outputs],
            [numpy_helper.from_array(value, name) for name, value in (weights or {}).items()],
        )
        opset = [helper.make_opsetid("", 17)]
        model = helper.make_model(graph, opset_imports=opset, ir_version=9)
        if metadata:
            helper.set_model_props(model, metadata)
        path = self.folder / file
        save_model(model, str(path), save_as_external_data=external, size_threshold=0)
        return path


@pytest.fixture
def build_onnx(tmp_path: Path) -> OnnxBuilder:
    return OnnxBuilder(tmp_path)


@pytest.fixture
def tokenizer_json(tmp_path: Path) -> Any:
    def write(**changes: Any) -> None:
        described = {
            "unit": "character",
            "lower": True,
            "vocab": {"a": 1, "b": 2, "c": 3},
            "unknown": "drop",
            "pad_id": 0,
            "pad": "left",
        }
        path = tmp_path / "model.tokenizer.json"
        path.write_text(json.dumps(described | changes), encoding="utf-8")

    return write


@pytest.fixture
def word_tokenizer() -> Any:
    """Makes a tokenizer of the words a, b, c and d, which are the ids 2 to 5."""
    transformers = pytest.importorskip("transformers")
    from tokenizers import Tokenizer, models, pre_tokenizers

    def make(**options: Any) -> Any:
        vocabulary = {word: i for i, word in enumerate(["[PAD]", "[UNK]", "a", "b", "c", "d"])}
        words = Tokenizer(models.WordLevel(vocabulary, "[UNK]"))
        words.pre_tokenizer = pre_tokenizers.Whitespace()
        options = {"unk_token": "[UNK]", "pad_token": "[PAD]"} | options
        return transformers.PreTrainedTokenizerFast(tokenizer_object=words, **options)

    return make
