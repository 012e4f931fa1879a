"""What a model refers to must lie under the allowed folders as the model itself does."""

from __future__ import annotations

import json

import grpc
import pytest
from transferscore_server.errors import status_of
from transferscore_server.paths import allowed_models
from transferscore_server.settings import Settings

from transferscore.errors import TransferScoreError


@pytest.fixture
def root(tmp_path):
    """An allowed folder with a model and an adapter's folder, and a model outside."""
    for folder in ("models/base", "models/adapter", "outside/base"):
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / "config.json").write_text('{"model_type": "bert"}')
    (tmp_path / "models/adapter/config.json").unlink()
    (tmp_path / "outside/secret.bin").write_bytes(b"secret")
    return tmp_path / "models"


def settings(root, **options):
    return Settings(model_roots=(str(root),), model_schemes=("onnx", "hf", "st"), **options)


def write(path, content):
    path.write_text(json.dumps(content))


def adapter(root, base):
    write(root / "adapter/adapter_config.json", {"base_model_name_or_path": base})


def refused(uri, configured):
    with pytest.raises(TransferScoreError) as caught:
        allowed_models([uri], [], configured)
    status = status_of(caught.value)
    assert (status.code, status.reason) == (grpc.StatusCode.PERMISSION_DENIED, "URI_NOT_ALLOWED")
    assert "refers to" in status.message


@pytest.mark.parametrize("base", ["../base", "{root}/base", "./../base/"])
def test_a_base_under_the_root_is_let_through(root, base):
    adapter(root, base.replace("{root}", str(root)))
    assert allowed_models([f"hf:{root}/adapter"], [], settings(root))


@pytest.mark.parametrize(
    "base",
    [
        "../../outside/base",
        "{root}/../outside/base",
        "/etc",
        "~",
        "~root",
        "organisation/name",
        "../linked",
        "a\0b",
        "x" * 5000,
        ["a", "list"],
    ],
)
def test_a_base_elsewhere_is_refused(root, base):
    (root / "linked").symlink_to(root.parent / "outside/base")
    adapter(root, base.replace("{root}", str(root)) if isinstance(base, str) else base)
    refused(f"hf:{root}/adapter", settings(root))


def test_a_base_that_leads_out_by_its_own_base_is_refused(root):
    adapter(root, "../base")
    write(root / "base/adapter_config.json", {"base_model_name_or_path": "/etc"})
    refused(f"hf:{root}/adapter", settings(root))
    write(root / "base/adapter_config.json", {"base_model_name_or_path": "../adapter"})
    refused(f"hf:{root}/adapter", settings(root))


def test_a_base_from_where_the_server_runs_is_refused(root, monkeypatch):
    monkeypatch.chdir(root.parent)
    adapter(root, "outside/base")
    refused(f"hf:{root}/adapter", settings(root, hub=True))


def test_a_base_on_the_hub_needs_the_hub(root):
    adapter(root, "organisation/name")
    assert allowed_models([f"hf:{root}/adapter"], [], settings(root, hub=True))
    adapter(root, "../../outside/gone")
    refused(f"hf:{root}/adapter", settings(root, hub=True))


@pytest.mark.parametrize(
    ("file", "content"),
    [
        ("model.safetensors.index.json", {"weight_map": {"w": "../../outside/secret.bin"}}),
        ("pytorch_model.bin.index.json", {"weight_map": {"w": "/etc/passwd"}}),
        ("modules.json", [{"path": "../../outside/base", "type": "x"}]),
        ("tokenizer_config.json", {"vocab_file": "/etc/passwd"}),
    ],
)
def test_files_that_a_folder_names(root, file, content):
    write(root / "base" / file, content)
    refused(f"hf:{root}/base", settings(root))


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("model.safetensors.index.json", '{"weight_map": {"w": "model-1.safetensors"}}'),
        ("model.safetensors.index.json", '{"weight_map": 3}'),
        ("modules.json", '[{"path": ""}, {"path": "1_Pooling"}, 4]'),
        ("tokenizer_config.json", '{"vocab_file": "/home/trainer/vocab.txt"}'),
        ("tokenizer_config.json", "no JSON"),
    ],
)
def test_what_stays_inside_or_is_not_there_is_let_through(root, file, text):
    (root / "base" / file).write_text(text)
    assert allowed_models([f"hf:{root}/base"], [], settings(root))


def test_links_in_a_folder(root):
    (root / "base/weights.safetensors").symlink_to(root / "base/config.json")
    assert allowed_models([f"hf:{root}/base"], [], settings(root))
    (root / "base/pytorch_model.bin").symlink_to(root.parent / "outside/secret.bin")
    refused(f"hf:{root}/base", settings(root))


@pytest.mark.parametrize(
    "location", ["../outside/secret.bin", "./" * 100 + "../outside/secret.bin"]
)
def test_external_weights(root, location):
    onnx = pytest.importorskip("onnx")
    tensor = onnx.TensorProto(name="w", data_type=1, dims=[1])
    tensor.data_location = onnx.TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value=location)
    model = onnx.ModelProto(graph=onnx.GraphProto(initializer=[tensor]))
    (root / "m.onnx").write_bytes(model.SerializeToString())
    refused(f"onnx:{root}/m.onnx", settings(root))
