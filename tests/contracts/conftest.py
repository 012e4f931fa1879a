"""Tiny models of every kind, made on the spot, and samples to show them."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from transferscore.datasets import AudioSample
from transferscore.datasets.images import ImageSample
from transferscore.encoders import (
    CallableEncoder,
    Encoder,
    ExportEncoder,
    HfEncoder,
    KerasEncoder,
    ModuleEncoder,
    OnnxEncoder,
    SentenceEncoder,
    VectorsEncoder,
)

WORDS = [
    "[PAD]",
    "[UNK]",
    "[CLS]",
    "[SEP]",
    *["the", "cat", "sat", "on", "a", "mat", "and", "looked", "at", "its", "owner"],
]
TEXTS = ["the cat sat on a mat", "a cat", "the owner looked at the cat and its mat", "", "strange"]
RNG = np.random.default_rng(0)
ARRAYS = RNG.normal(size=(5, 8)).astype(np.float32)
IMAGES = [
    ImageSample.from_array(RNG.integers(0, 256, (32, 32, 3), dtype=np.uint8), f"image {i}")
    for i in range(5)
]
SOUNDS = [
    AudioSample.from_array(RNG.normal(scale=0.1, size=n).astype(np.float32), 8000, f"sound {i}")
    for i, n in enumerate([2000, 3100, 700, 2000, 5000])
]
SAMPLES: dict[str, Sequence[Any]] = {
    "image": IMAGES,
    "text": TEXTS,
    "array": ARRAYS,
    "audio": SOUNDS,
}


@dataclass(frozen=True)
class Case:
    """One kind of encoder.

    `make(folder, seed, **options)` writes a model drawn with `seed` into `folder` if it has a file,
    and gives its encoder; `option` is one that changes the numbers.
    """

    name: str
    modality: str
    make: Callable[..., Encoder]
    has_logits: bool
    option: dict[str, Any] = field(default_factory=dict)
    has_digest: bool = True
    weights: str | None = None


def onnx_image(folder: Path, seed: int, **options: Any) -> Encoder:
    return OnnxEncoder(save_onnx(folder / "model.onnx", seed, [None, 3, None, None]), **options)


def onnx_array(folder: Path, seed: int, **options: Any) -> Encoder:
    return OnnxEncoder(save_onnx(folder / "model.onnx", seed, [2, 8]), **options)


def save_onnx(path: Path, seed: int, shape: list[int | None]) -> Path:
    """A model `features -> logits`: pooled images or arrays of 8, a hidden layer, a classifier."""
    from onnx import TensorProto, helper, numpy_helper, save_model

    rng = np.random.default_rng(seed)
    is_image = len(shape) == 4
    width = 3 if is_image else shape[1]
    weights = {"w": (width, 6), "v": (6, 4)}
    pool = [("GlobalAveragePool", ["x"], "p"), ("Flatten", ["p"], "flat")] if is_image else []
    steps = [
        *pool,
        ("MatMul", ["flat" if is_image else "x", "w"], "hidden"),
        ("Relu", ["hidden"], "features"),
        ("MatMul", ["features", "v"], "logits"),
    ]
    graph = helper.make_graph(
        [helper.make_node(op, inputs, [output]) for op, inputs, output in steps],
        "tiny",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)],
        [
            helper.make_tensor_value_info(name, TensorProto.FLOAT, [None, size])
            for name, size in (("features", 6), ("logits", 4))
        ],
        [
            numpy_helper.from_array(rng.normal(size=size).astype(np.float32), name)
            for name, size in weights.items()
        ],
    )
    opset = [helper.make_opsetid("", 17)]
    model = helper.make_model(graph, opset_imports=opset, ir_version=9)
    helper.set_model_props(model, {"native_resolution": "16"})
    save_model(model, str(path))
    return path


def torch_network(seed: int) -> Any:
    import torch
    from torch import nn

    torch.manual_seed(seed)
    return nn.Sequential(
        nn.Conv2d(3, 6, 3, stride=2),
        nn.BatchNorm2d(6),
        nn.ReLU(),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(6, 4),
    )


def export(folder: Path, seed: int, **options: Any) -> Encoder:
    import torch

    network = torch_network(seed).eval()

    class Pair(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.body, self.head = network[:5], network[5]

        def forward(self, images: Any) -> Any:
            features = self.body(images)
            return {"features": features, "logits": self.head(features), "doubled": 2 * features}

    example = (torch.rand(2, 3, 32, 32),)
    batch = ({0: torch.export.Dim("n", min=1, max=512)},)
    program = torch.export.export(Pair().eval(), example, dynamic_shapes=batch)
    torch.export.save(program, folder / "model.pt2")
    return ExportEncoder(folder / "model.pt2", **options)


def module(folder: Path, seed: int, **options: Any) -> Encoder:
    return ModuleEncoder(torch_network(seed), **options)


def function(folder: Path, seed: int, **options: Any) -> Encoder:
    weights = np.random.default_rng(seed).normal(size=(8, 3))
    return CallableEncoder(lambda rows: (np.tanh(rows), rows @ weights), **options)


def hf_text(architecture: str, padding_side: str = "right") -> Callable[..., Encoder]:
    def make(folder: Path, seed: int, **options: Any) -> Encoder:
        save_transformer(folder, architecture, seed)
        save_tokenizer(folder, padding_side)
        return HfEncoder(str(folder), **options)

    return make


def hf_image(architecture: str) -> Callable[..., Encoder]:
    def make(folder: Path, seed: int, **options: Any) -> Encoder:
        save_transformer(folder, architecture, seed)
        save_processor(folder)
        return HfEncoder(str(folder), **options)

    return make


def hf_audio(architecture: str, extractor: str, **options: Any) -> Callable[..., Encoder]:
    def make(folder: Path, seed: int, **changes: Any) -> Encoder:
        import transformers

        save_transformer(folder, architecture, seed)
        getattr(transformers, extractor)(**options).save_pretrained(folder)
        return HfEncoder(str(folder), **changes)

    return make


def sentence(folder: Path, seed: int, **options: Any) -> Encoder:
    """A transformer with CLS pooling and normalisation, as sentence-transformers saves it."""
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer import modules

    save_transformer(folder / "bert", "BertModel", seed)
    save_tokenizer(folder / "bert")
    parts = [
        modules.Transformer(str(folder / "bert")),
        modules.Pooling(16, pooling_mode="cls"),
        modules.Normalize(),
    ]
    prompts = {"query": "the owner"}
    model = SentenceTransformer(modules=parts, prompts=prompts, device="cpu")
    model.save(str(folder / "st"))
    return SentenceEncoder(str(folder / "st"), **options)


def keras_image(folder: Path, seed: int, **options: Any) -> Encoder:
    os.environ.setdefault("KERAS_BACKEND", "torch")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import keras

        keras.utils.clear_session()  # else layers are numbered on from the last model
        keras.utils.set_random_seed(seed)
        with keras.device("cpu"):
            layers = keras.layers
            model = keras.Sequential(
                [
                    keras.Input((16, 16, 3)),
                    layers.Conv2D(6, 3, name="conv"),
                    layers.GlobalMaxPooling2D(),
                    layers.Dense(4),
                ]
            )
            model.save(folder / "model.keras")
    return KerasEncoder(folder / "model.keras", **options)


def onnx_audio(folder: Path, seed: int, **options: Any) -> Encoder:
    """Features of waves: the mean of products with weights, after a rectifier."""
    from onnx import TensorProto, helper, numpy_helper, save_model

    weights = np.random.default_rng(seed).normal(size=(1, 6)).astype(np.float32)
    steps = [
        helper.make_node("Unsqueeze", ["wave", "two"], ["column"]),
        helper.make_node("MatMul", ["column", "w"], ["hidden"]),
        helper.make_node("Relu", ["hidden"], ["rectified"]),
        helper.make_node("ReduceMean", ["rectified"], ["features"], axes=[1], keepdims=0),
    ]
    graph = helper.make_graph(
        steps,
        "tiny",
        [helper.make_tensor_value_info("wave", TensorProto.FLOAT, [None, None])],
        [helper.make_tensor_value_info("features", TensorProto.FLOAT, [None, 6])],
        [
            numpy_helper.from_array(weights, "w"),
            numpy_helper.from_array(np.array([2], dtype=np.int64), "two"),
        ],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    helper.set_model_props(model, {"sample_rate": "4000"})
    save_model(model, str(folder / "model.onnx"))
    return OnnxEncoder(folder / "model.onnx", **options)


def word_vectors(folder: Path, seed: int, **options: Any) -> Encoder:
    words = np.array([*WORDS, "strange"])
    vectors = np.random.default_rng(seed).normal(size=(len(words), 6))
    np.savez(folder / "words.npz", words=words, vectors=vectors.astype(np.float16))
    return VectorsEncoder(folder / "words.npz", **options)


SMALL = {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "num_labels": 3}
SPEECH = {
    "hidden_size": 16,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 32,
    "conv_dim": (8, 8),
    "conv_kernel": (10, 3),
    "conv_stride": (5, 2),
    "num_feat_extract_layers": 2,
    "num_conv_pos_embeddings": 16,
    "num_conv_pos_embedding_groups": 2,
    "vocab_size": 10,
}
CONFIGS: dict[str, dict[str, Any]] = {
    "Bert": {**SMALL, "vocab_size": len(WORDS), "intermediate_size": 32},
    "Roberta": {
        **SMALL,
        "vocab_size": len(WORDS),
        "intermediate_size": 32,
        "max_position_embeddings": 20,
        "pad_token_id": 0,
    },
    "GPT2": {"vocab_size": len(WORDS), "n_embd": 16, "n_layer": 2, "n_head": 2, "num_labels": 3},
    "T5": {
        "vocab_size": len(WORDS),
        "d_model": 16,
        "d_kv": 8,
        "d_ff": 32,
        "num_layers": 2,
        "num_heads": 2,
    },
    "ViT": {**SMALL, "intermediate_size": 32, "image_size": 32, "patch_size": 8},
    "ResNet": {
        "embedding_size": 8,
        "hidden_sizes": [8, 16],
        "depths": [1, 1],
        "layer_type": "basic",
        "num_labels": 3,
    },
    "ConvNext": {"hidden_sizes": [4, 8], "depths": [1, 1], "num_stages": 2, "num_labels": 3},
    "Swin": {
        "image_size": 32,
        "patch_size": 4,
        "embed_dim": 8,
        "depths": [1, 1],
        "num_heads": [2, 2],
        "window_size": 2,
        "num_labels": 3,
    },
    "Dinov2": {**SMALL, "image_size": 32, "patch_size": 8},
    "CLIPVision": {
        "hidden_size": 16,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        "intermediate_size": 32,
        "image_size": 32,
        "patch_size": 8,
    },
    "Llama": {
        "vocab_size": len(WORDS),
        "hidden_size": 16,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        "num_key_value_heads": 1,
        "intermediate_size": 32,
        "pad_token_id": 0,
    },
    "Bart": {
        "vocab_size": len(WORDS),
        "d_model": 16,
        "encoder_layers": 2,
        "decoder_layers": 1,
        "encoder_attention_heads": 2,
        "decoder_attention_heads": 2,
        "encoder_ffn_dim": 32,
        "decoder_ffn_dim": 32,
        "max_position_embeddings": 64,
        "pad_token_id": 0,
    },
    "DistilBert": {
        "vocab_size": len(WORDS),
        "dim": 16,
        "n_layers": 2,
        "n_heads": 2,
        "hidden_dim": 32,
        "num_labels": 3,
    },
    "Wav2Vec2": {**SPEECH, "feat_extract_norm": "group", "num_labels": 3},
    "Hubert": {**SPEECH, "feat_extract_norm": "layer", "do_stable_layer_norm": True},
    "AST": {
        **SMALL,
        "intermediate_size": 32,
        "patch_size": 8,
        "frequency_stride": 8,
        "time_stride": 8,
        "max_length": 64,
        "num_mel_bins": 16,
    },
    "Whisper": {
        "vocab_size": 20,
        "d_model": 16,
        "encoder_layers": 2,
        "decoder_layers": 1,
        "encoder_attention_heads": 2,
        "decoder_attention_heads": 2,
        "encoder_ffn_dim": 32,
        "decoder_ffn_dim": 32,
        "num_mel_bins": 16,
        "max_source_positions": 100,
        "pad_token_id": 0,
        "bos_token_id": 1,
        "eos_token_id": 2,
        "decoder_start_token_id": 1,
        "suppress_tokens": None,
        "begin_suppress_tokens": None,
    },
    "MobileNetV2": {"depth_multiplier": 0.25, "image_size": 32, "num_labels": 3},
}


def save_transformer(folder: Path, architecture: str, seed: int) -> None:
    import torch
    import transformers

    family = max((name for name in CONFIGS if architecture.startswith(name)), key=len)
    config = getattr(transformers, f"{family}Config")(**CONFIGS[family])
    torch.manual_seed(seed)
    getattr(transformers, architecture)(config).save_pretrained(folder)


def save_tokenizer(folder: Path, padding_side: str = "right") -> None:
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    words = Tokenizer(models.WordLevel({word: i for i, word in enumerate(WORDS)}, "[UNK]"))
    words.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=words,
        unk_token="[UNK]",
        pad_token="[PAD]",
        padding_side=padding_side,
        model_max_length=64,
    )
    tokenizer.save_pretrained(folder)


def save_processor(folder: Path) -> None:
    from transformers.models.vit.image_processing_pil_vit import ViTImageProcessorPil

    ViTImageProcessorPil(size={"height": 32, "width": 32}).save_pretrained(folder)


CASES = [
    Case("onnx image", "image", onnx_image, True, {"output": "hidden"}, weights="model.onnx"),
    Case("onnx array", "array", onnx_array, True, {"output": "hidden"}, weights="model.onnx"),
    Case("export", "image", export, True, {"output": "doubled"}, weights="model.pt2"),
    Case("module", "image", module, True, {"layer": "0"}),
    Case("callable", "array", function, True, has_digest=False),
    Case(
        "hf bert",
        "text",
        hf_text("BertModel"),
        False,
        {"pooling": "max"},
        weights="model.safetensors",
    ),
    Case(
        "hf bert classifier", "text", hf_text("BertForSequenceClassification"), True, {"layer": 0}
    ),
    Case("hf roberta", "text", hf_text("RobertaModel"), False, {"layer": 1}),
    Case("hf gpt2, padded left", "text", hf_text("GPT2Model", "left"), False, {"pooling": "last"}),
    Case(
        "hf gpt2 classifier", "text", hf_text("GPT2ForSequenceClassification"), True, {"layer": 1}
    ),
    Case("hf t5", "text", hf_text("T5ForConditionalGeneration"), False, {"pooling": "cls"}),
    Case("hf vit", "image", hf_image("ViTForImageClassification"), True, {"pooling": "mean"}),
    Case("hf resnet", "image", hf_image("ResNetForImageClassification"), True, {"layer": 0}),
    Case("hf mobilenet", "image", hf_image("MobileNetV2Model"), False, {"layer": 0}),
    Case("hf convnext", "image", hf_image("ConvNextForImageClassification"), True, {"layer": 0}),
    Case("hf swin", "image", hf_image("SwinForImageClassification"), True, {"layer": 1}),
    Case("hf dinov2", "image", hf_image("Dinov2Model"), False, {"pooling": "mean"}),
    Case("hf clip vision", "image", hf_image("CLIPVisionModel"), False, {"pooling": "mean"}),
    Case("hf llama, padded left", "text", hf_text("LlamaModel", "left"), False, {"layer": 1}),
    Case("hf bart", "text", hf_text("BartModel"), False, {"layer": 0}),
    Case(
        "hf distilbert",
        "text",
        hf_text("DistilBertForSequenceClassification"),
        True,
        {"pooling": "cls"},
    ),
    Case(
        "hf wav2vec2",
        "audio",
        hf_audio("Wav2Vec2ForSequenceClassification", "Wav2Vec2FeatureExtractor"),
        True,
        {"layer": 1},
    ),
    Case(
        "hf hubert, with mask",
        "audio",
        hf_audio("HubertModel", "Wav2Vec2FeatureExtractor", return_attention_mask=True),
        False,
        {"pooling": "max"},
    ),
    Case(
        "hf ast",
        "audio",
        hf_audio(
            "ASTForAudioClassification", "ASTFeatureExtractor", max_length=64, num_mel_bins=16
        ),
        True,
        {"pooling": "mean"},
    ),
    Case(
        "hf whisper",
        "audio",
        hf_audio("WhisperModel", "WhisperFeatureExtractor", feature_size=16, chunk_length=2),
        False,
        {"layer": 0},
    ),
    Case("st", "text", sentence, False, {"prompt": "query"}),
    Case("keras", "image", keras_image, True, {"output": "conv"}, weights="model.keras"),
    Case("vectors", "text", word_vectors, False, {"pooling": "max"}, weights="words.npz"),
    Case("onnx audio", "audio", onnx_audio, False, {"rate": 8000}, weights="model.onnx"),
]


@pytest.fixture(params=CASES, ids=lambda case: case.name)
def case(request: pytest.FixtureRequest) -> Case:
    return request.param


@pytest.fixture
def samples(case: Case) -> Sequence[Any]:
    return SAMPLES[case.modality]
