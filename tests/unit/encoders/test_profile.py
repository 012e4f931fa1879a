from __future__ import annotations

import json

import numpy as np
import pytest

import transferscore
from transferscore.encoders import HfEncoder, resolve_encoder
from transferscore.errors import EncoderError

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")

BERT = {
    "vocab_size": 6,
    "hidden_size": 8,
    "num_hidden_layers": 3,
    "num_attention_heads": 2,
    "intermediate_size": 16,
    "max_position_embeddings": 16,
}


@pytest.fixture
def bert(tmp_path, word_tokenizer):
    model = transformers.BertModel(transformers.BertConfig(**BERT))
    model.save_pretrained(tmp_path)
    word_tokenizer().save_pretrained(tmp_path)
    (tmp_path / "README.md").write_text("---\nlanguage: en\nlicense: apache-2.0\n---\n# Model\n")
    return model


def test_a_transformer_is_profiled_without_reading_its_weights(bert, tmp_path):
    (tmp_path / "model.safetensors").write_bytes(b"not read")
    known = transferscore.profile(f"hf:{tmp_path}")
    n_parameters = sum(weight.numel() for weight in bert.parameters())
    assert known == transferscore.Profile(
        model=f"hf:{tmp_path}",
        parameters=n_parameters,
        flops=known.flops,
        flops_input="16 tokens",
        n_features=8,
        n_layers=3,
        license="apache-2.0",
        weights_format="safetensors",
        memory_bytes=4 * n_parameters,
    )
    # Of each layer: four projections 8 x 8, two products of the attention, 8 x 16 and back.
    products = 4 * 16 * 8 * 8 + 2 * 16 * 16 * 8 + 2 * 16 * 8 * 16
    pooler = 8 * 8
    assert known.flops == 2 * (3 * products + pooler)


@pytest.mark.parametrize(
    ("family", "options", "n_features", "n_layers"),
    [
        ("ViT", {**BERT, "image_size": 32, "patch_size": 8}, 8, 3),
        ("ResNet", {"embedding_size": 4, "hidden_sizes": [4, 8], "depths": [1, 1]}, 8, 2),
        (
            "Swin",
            {
                "image_size": 32,
                "patch_size": 4,
                "embed_dim": 8,
                "depths": [1, 1],
                "num_heads": [2, 2],
                "window_size": 2,
            },
            16,
            2,
        ),
        ("Dinov2", {**BERT, "image_size": 32, "patch_size": 8}, 8, 3),
    ],
)
def test_images_are_profiled_at_the_size_of_the_processor(
    tmp_path, family, options, n_features, n_layers
):
    from transformers.models.vit.image_processing_pil_vit import ViTImageProcessorPil

    options = {k: v for k, v in options.items() if k not in ("vocab_size",)}
    config = getattr(transformers, f"{family}Config")(**options)
    getattr(transformers, f"{family}Model")(config).save_pretrained(tmp_path)
    ViTImageProcessorPil(size={"height": 32, "width": 32}).save_pretrained(tmp_path)
    known = transferscore.profile(f"hf:{tmp_path}")
    assert known.flops > 0
    assert known.flops_input == "32 x 32 pixels"
    assert (known.n_features, known.n_layers) == (n_features, n_layers)


def test_speech_is_profiled_by_the_second(tmp_path):
    config = transformers.Wav2Vec2Config(
        hidden_size=16,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=32,
        conv_dim=(8, 8),
        conv_kernel=(10, 3),
        conv_stride=(5, 2),
        num_feat_extract_layers=2,
        num_conv_pos_embeddings=16,
        num_conv_pos_embedding_groups=2,
    )
    transformers.Wav2Vec2Model(config).save_pretrained(tmp_path)
    transformers.Wav2Vec2FeatureExtractor().save_pretrained(tmp_path)
    known = transferscore.profile(f"hf:{tmp_path}")
    assert known.flops_input == "1 s of sound"
    assert (known.n_features, known.n_layers) == (16, 2)
    assert known.flops > 0


def test_an_onnx_graph_is_walked_through(build_onnx):
    rng = np.random.default_rng(0)
    weights = {
        "k": rng.normal(size=(4, 3, 3, 3)).astype(np.float32),
        "w": rng.normal(size=(4, 5)).astype(np.float32),
    }
    path = build_onnx(
        [
            ("Conv", ["image", "k"], "maps", {"kernel_shape": [3, 3]}),
            ("GlobalAveragePool", ["maps"], "mean"),
            ("Flatten", ["mean"], "features"),
            ("MatMul", ["features", "w"], "logits"),
        ],
        inputs={"image": ("FLOAT", [None, 3, None, None])},
        outputs=["logits"],
        weights=weights,
        metadata={"native_resolution": "10", "license": "MIT"},
    )
    known = transferscore.profile(f"onnx:{path}")
    assert known == transferscore.Profile(
        model=f"onnx:{path}",
        parameters=4 * 27 + 20,
        flops=2 * (8 * 8 * 4 * 27 + 4 * 5),
        flops_input="10 x 10 pixels",
        n_features=4,
        n_layers=2,
        license="MIT",
        weights_format="onnx",
        memory_bytes=4 * (4 * 27 + 20),
    )
    assert transferscore.profile(f"onnx:{path}?size=12").flops > known.flops


def test_shapes_that_follow_from_no_other_are_seen_in_a_run(build_onnx):
    """How many values of the wave are zero, nobody knows before it is looked at."""
    path = build_onnx(
        [
            ("Cast", ["wave"], "is_sound", {"to": 9}),
            ("Not", ["is_sound"], "is_silent"),
            ("NonZero", ["is_silent"], "places"),
            ("Cast", ["places"], "frames", {"to": 1}),
            ("Transpose", ["frames"], "rows", {"perm": [1, 0]}),
            ("MatMul", ["rows", "w"], "features"),
        ],
        inputs={"wave": ("FLOAT", [None, None])},
        outputs=["features"],
        weights={"w": np.ones((2, 5), dtype=np.float32)},
    )
    assert transferscore.profile(f"onnx:{path}").flops == 2 * 16_000 * 2 * 5


def test_a_program_is_profiled_by_one_blank_sample(tmp_path):
    network = torch.nn.Sequential(torch.nn.Conv2d(3, 4, 3), torch.nn.Flatten()).eval()
    program = torch.export.export(network, (torch.rand(1, 3, 8, 8),))
    torch.export.save(program, tmp_path / "m.pt2")
    known = transferscore.profile(tmp_path / "m.pt2")
    assert known.flops == 2 * 6 * 6 * 4 * 27
    assert known.parameters == 4 * 27 + 4
    assert known.n_features == 144
    assert known.flops_input == "8 x 8 pixels"


def test_a_name_on_the_hub_fetches_small_files_only(bert, tmp_path, monkeypatch):
    import huggingface_hub

    asked = []

    def snapshot(_name, allow_patterns, **_):
        asked.append(allow_patterns)
        return str(tmp_path)

    monkeypatch.setattr(huggingface_hub, "snapshot_download", snapshot)
    known = transferscore.profile("hf:org/name@main")
    assert known.n_features == 8
    assert not [p for patterns in asked for p in patterns if p.endswith((".safetensors", ".bin"))]


def test_features_have_a_width(tmp_path):
    np.savez(tmp_path / "f.npz", features=np.zeros((4, 7)))
    assert transferscore.profile(f"features:{tmp_path}/f.npz").n_features == 7


def test_what_cannot_be_read_says_why(tmp_path):
    with pytest.raises(EncoderError, match="There is no file"):
        transferscore.profile(f"onnx:{tmp_path}/no.onnx")
    (tmp_path / "cut.onnx").write_bytes(b"\x08\x07\x12")
    with pytest.raises(EncoderError, match=r"`onnx:.*cut\.onnx` could not be read: "):
        transferscore.profile(f"onnx:{tmp_path}/cut.onnx")


def test_the_profile_agrees_with_what_is_extracted(bert, tmp_path):
    encoder = resolve_encoder(f"hf:{tmp_path}")
    assert isinstance(encoder, HfEncoder)
    features = encoder.forward(encoder.prepare(["a b"])).features
    assert features.shape[1] == transferscore.profile(f"hf:{tmp_path}").n_features
    assert json.loads((tmp_path / "config.json").read_text())["hidden_size"] == features.shape[1]
