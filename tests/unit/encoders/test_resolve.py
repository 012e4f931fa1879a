from __future__ import annotations

import sys

import pytest

import transferscore.encoders as encoders
from transferscore.encoders import (
    CallableEncoder,
    Encoder,
    ExportEncoder,
    FeaturesFile,
    HfEncoder,
    ModuleEncoder,
    OnnxEncoder,
    resolve_encoder,
    resolve_models,
)
from transferscore.encoders.registry import ADAPTERS
from transferscore.errors import EncoderError, UnknownSchemeError


def lengths(texts):
    return [[len(text)] for text in texts]


@pytest.mark.parametrize(
    ("uri", "adapter"),
    [
        ("onnx:a.onnx?size=32#x", OnnxEncoder),
        ("a.onnx", OnnxEncoder),
        ("export:a.pt2", ExportEncoder),
        ("hf:org/name@main?layer=1", HfEncoder),
        ("features:a.npz", FeaturesFile),
    ],
)
def test_uris_keep_their_text_as_name(uri, adapter):
    encoder = resolve_encoder(uri)
    assert isinstance(encoder, adapter)
    assert encoder.name == uri


def test_every_adapter_is_an_encoder_or_a_features_file():
    for scheme in ADAPTERS:
        assert isinstance(resolve_encoder(f"{scheme}:a.npz"), Encoder | FeaturesFile)


def test_modules_functions_and_encoders():
    torch = pytest.importorskip("torch")
    assert isinstance(resolve_encoder(torch.nn.Linear(2, 2)), ModuleEncoder)
    assert isinstance(resolve_encoder(lengths), CallableEncoder)
    encoder = CallableEncoder(lengths)
    assert resolve_encoder(encoder) is encoder


def test_torch_is_not_imported_to_ask_what_a_model_is(monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    assert isinstance(resolve_encoder(lengths), CallableEncoder)


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (
            3,
            "A model must be a URI such as `onnx:model.onnx`, a torch.nn.Module, a function from "
            "samples to features, or an Encoder; got int.",
        ),
        (
            CallableEncoder,
            "A model must be an object; got the class CallableEncoder. Pass an instance of it.",
        ),
    ],
)
def test_what_is_no_model(model, message):
    with pytest.raises(EncoderError) as raised:
        resolve_encoder(model)
    assert str(raised.value) == message


def test_unknown_schemes_are_refused_at_once():
    with pytest.raises(UnknownSchemeError):
        resolve_models(["onnx:a.onnx", "ftp:a"])


def names(models):
    return [encoder.name for encoder in resolve_models(models)]


def test_models_may_be_one_a_list_or_a_mapping(tmp_path):
    for name in ("b.onnx", "a.onnx"):
        (tmp_path / name).touch()
    a, b = f"onnx:{tmp_path}/a.onnx", f"onnx:{tmp_path}/b.onnx"
    assert names(f"onnx:{tmp_path}/*.onnx") == [a, b]
    assert names([b, f"onnx:{tmp_path}/*.onnx", lengths]) == [b, a, "lengths"]
    assert names({"first": a, "second": lengths}) == ["first", "second"]
    assert names(lengths) == ["lengths"]
    assert names(CallableEncoder(lengths)) == ["lengths"]


def test_one_module_is_one_model_though_it_can_be_iterated():
    torch = pytest.importorskip("torch")
    assert names(torch.nn.Sequential(torch.nn.Linear(2, 2), torch.nn.Tanh())) == ["Sequential"]
    assert names(torch.nn.ModuleDict({"a": torch.nn.Tanh()})) == ["ModuleDict"]


def test_equal_names_are_told_apart():
    assert names([lengths, lengths, CallableEncoder(lengths)]) == [
        "lengths",
        "lengths (2)",
        "lengths (3)",
    ]


def test_a_renamed_encoder_is_the_same_model(tmp_path):
    (first, second) = resolve_models([CallableEncoder(lengths), CallableEncoder(lengths)])
    assert isinstance(second, Encoder)
    assert second.name == "lengths (2)"
    assert second.digest() is None
    assert second.cost("a" * 40) == first.cost("a" * 40) > first.cost("a")
    batch = second.prepare(["abc"])
    assert second.forward(batch).features.tolist() == first.forward(batch).features.tolist()
    second.release()


def test_a_features_file_can_be_renamed():
    (file,) = resolve_models({"mine": FeaturesFile("a.npz", array="x")})
    assert isinstance(file, FeaturesFile)
    assert file.name == "mine"


@pytest.mark.parametrize("models", [[], {}])
def test_no_models(models):
    with pytest.raises(EncoderError) as raised:
        resolve_models(models)
    assert str(raised.value) == "`models` must name at least one model; got none."


def test_public_names_are_sorted_and_there():
    assert encoders.__all__ == sorted(encoders.__all__)
    for name in encoders.__all__:
        assert getattr(encoders, name).__name__ == name
    with pytest.raises(AttributeError, match="has no attribute 'nothing'"):
        _ = encoders.nothing
