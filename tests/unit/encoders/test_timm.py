from __future__ import annotations

import importlib.util
import sys
import warnings

import numpy as np
import pytest
from numpy.testing import assert_allclose

from transferscore.encoders import TimmEncoder, resolve_encoder
from transferscore.errors import EncoderError, MissingExtraError

torch = pytest.importorskip("torch")

HAS_TIMM = importlib.util.find_spec("timm") is not None
needs_timm = pytest.mark.skipif(not HAS_TIMM, reason="the package timm is not installed")
NETWORKS = {
    "vit_tiny_patch16_224": {"embed_dim": 16, "depth": 3, "num_heads": 2, "img_size": 64},
    "resnet18": {"layers": (1, 1, 1, 1), "channels": (4, 8, 8, 16)},
}


@pytest.fixture
def timm():
    from tests.unit.encoders.conftest import declare_torchvision_operators

    declare_torchvision_operators()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import timm
    return timm


@pytest.fixture(params=NETWORKS)
def saved(request, timm, tmp_path):
    from timm.models import save_for_hf

    torch.manual_seed(0)
    options = NETWORKS[request.param]
    model = timm.create_model(request.param, pretrained=False, num_classes=3, **options).eval()
    model.pretrained_cfg["input_size"] = (3, 64, 64)
    save_for_hf(model, tmp_path, model_args=options, safe_serialization=True)
    return tmp_path, model


def encode(encoder, samples):
    return encoder.forward(encoder.prepare(samples))


@needs_timm
def test_features_are_what_the_models_own_classifier_sees(saved, timm, images):
    path, _ = saved
    encoding = encode(resolve_encoder(f"timm:{path}", device="cpu"), images)
    model = timm.create_model(f"local-dir:{path}", pretrained=True).eval()
    config = timm.data.resolve_model_data_config(model)
    transform = timm.data.create_transform(**config, is_training=False)
    pixels = torch.stack([transform(image.image()) for image in images])
    with torch.no_grad():
        states = model.forward_features(pixels)
        assert_allclose(encoding.features, model.forward_head(states, pre_logits=True), atol=1e-5)
        assert_allclose(encoding.logits, model(pixels), atol=1e-5)


@needs_timm
def test_all_layers_come_from_one_pass(saved, images):
    path, _ = saved
    encoding = encode(resolve_encoder(f"timm:{path}?layer=all", device="cpu"), images)
    alone = encode(resolve_encoder(f"timm:{path}", device="cpu"), images)
    assert_allclose(encoding.layers[-1], alone.features, atol=1e-6)
    assert len(encoding.layers) > 2
    for layer, features in enumerate(encoding.layers):
        one = encode(resolve_encoder(f"timm:{path}?layer={layer}", device="cpu"), images)
        assert_allclose(features, one.features, atol=1e-6)
    with pytest.raises(EncoderError, match=r"must be between -[0-9]* and [0-9]*; got 40"):
        encode(resolve_encoder(f"timm:{path}?layer=40", device="cpu"), images)


@needs_timm
def test_a_batch_of_one_and_the_digest(saved, images):
    path, _ = saved
    encoder = TimmEncoder(str(path), device="cpu")
    together = encode(encoder, images).features
    assert_allclose(encode(encoder, images[2:3]).features, together[2:3], atol=1e-5)
    options = [{}, {}, {"pooling": "max"}, {"layer": 0}]
    digests = {TimmEncoder(str(path), device="cpu", **option).digest() for option in options}
    assert len(digests) == 3
    assert not np.allclose(encode(TimmEncoder(str(path), pooling="max"), images).features, together)


def test_a_torchvision_that_does_not_match_is_named_in_one_sentence(tmp_path, monkeypatch, images):
    (tmp_path / "config.json").write_text("{}")
    package = tmp_path / "packages"
    (package / "timm").mkdir(parents=True)
    (package / "timm/__init__.py").write_text(
        "raise RuntimeError('operator torchvision::nms does not exist')"
    )
    for name in [name for name in sys.modules if name.partition(".")[0] == "timm"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.syspath_prepend(package)
    versions = {"torchvision": "0.1", "torch": "2.13"}
    monkeypatch.setattr("transferscore.encoders.timm._version", lambda name: versions.get(name, ""))
    with pytest.raises(EncoderError) as raised:
        TimmEncoder(str(tmp_path)).prepare(images)
    assert str(raised.value) == (
        f"`timm:{tmp_path}` needs timm, which cannot be imported because there is torchvision 0.1 "
        f"beside torch 2.13 (operator torchvision::nms does not exist). Install the torchvision "
        f"that was built for your torch: see https://pytorch.org/get-started."
    )


def test_timm_is_needed(tmp_path, monkeypatch, images):
    (tmp_path / "config.json").write_text("{}")
    monkeypatch.setitem(sys.modules, "timm", None)
    monkeypatch.setattr("transferscore.encoders.timm._version", lambda _: "")
    with pytest.raises(MissingExtraError, match=r"pip install 'transferscore\[timm\]'"):
        TimmEncoder(str(tmp_path)).prepare(images)
