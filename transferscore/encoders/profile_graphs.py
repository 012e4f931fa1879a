"""Profiles of programs, Keras files and timm models."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from transferscore.encoders.digests import existing_file
from transferscore.encoders.encoder import Encoder
from transferscore.encoders.export import ExportEncoder
from transferscore.encoders.keras import KerasEncoder, load_keras_model
from transferscore.encoders.model_input import ModelInput
from transferscore.encoders.profile import Profile
from transferscore.encoders.profile_hf import license_of, weights_format_of
from transferscore.encoders.timm import timm_folder, timm_for
from transferscore.encoders.uri import ModelUri

__all__ = ["profile_export", "profile_keras", "profile_timm"]

_TOKENS = 128


def profile_export(uri: ModelUri) -> Profile:
    """The profile of an `export:` model; one blank sample is run."""
    encoder = ExportEncoder.from_uri(uri, device="cpu", name=uri.text)
    program, spec = encoder.program()
    weights = list(program.parameters())
    n_features, flops = _one_pass(encoder, spec)
    return Profile(
        uri.text,
        parameters=sum(weight.numel() for weight in weights),
        flops=flops,
        flops_input=_shown(spec),
        n_features=n_features,
        n_layers=sum(weight.ndim > 1 for weight in weights),
        weights_format="torch.export",
        memory_bytes=sum(weight.numel() * weight.element_size() for weight in weights),
    )


def profile_keras(uri: ModelUri) -> Profile:
    """The profile of a `keras:` model; one blank sample is run."""
    model = load_keras_model(existing_file_or_folder(uri.path), "cpu", uri.text)
    encoder = KerasEncoder.from_uri(uri, device="cpu", name=uri.text)
    n_features, flops = _one_pass(encoder, encoder.input())
    return Profile(
        uri.text,
        parameters=int(model.count_params()),
        flops=flops,
        flops_input=_shown(encoder.input()),
        n_features=n_features,
        n_layers=sum(bool(layer.weights) for layer in model.layers),
        weights_format="keras",
        memory_bytes=sum(int(np.prod(w.shape)) * np.dtype(w.dtype).itemsize for w in model.weights),
    )


def profile_timm(uri: ModelUri) -> Profile:
    """The profile of a `timm:` model; its weights are not read."""
    import torch
    from torch.utils.flop_counter import FlopCounterMode

    timm = timm_for(uri.text)
    path = timm_folder(uri.path, uri.revision, uri.text, with_weights=False)
    config = json.loads((path / "config.json").read_text(encoding="utf-8"))
    options = dict(config.get("model_args") or {})
    if config.get("num_classes") is not None:
        options["num_classes"] = config["num_classes"]
    with torch.device("meta"):
        model = timm.create_model(config["architecture"], pretrained=False, **options).eval()
    stated = config.get("pretrained_cfg") or config
    size = tuple(stated.get("input_size") or (3, 224, 224))
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        model(torch.empty(1, *size, device="meta"))
    n_parameters = sum(weight.numel() for weight in model.parameters())
    return Profile(
        uri.text,
        parameters=n_parameters,
        flops=counter.get_total_flops(),
        flops_input=f"{size[1]} x {size[2]} pixels",
        n_features=int(model.num_features),
        n_layers=len(model.feature_info) or None,
        license=stated.get("license") or license_of(path),
        weights_format=weights_format_of(path),
        memory_bytes=4 * n_parameters,
    )


def existing_file_or_folder(path: str) -> Path:
    """A folder as it is, so that the reader can say what it takes instead; else the file.

    Raises:
        EncoderError: There is neither.
    """
    return Path(path) if Path(path).is_dir() else existing_file(path)


def _one_pass(encoder: Encoder, spec: ModelInput) -> tuple[int, int]:
    """Feature width, and the operations of one blank sample."""
    from torch.utils.flop_counter import FlopCounterMode

    batch = encoder.prepare([_blank(spec)])
    with FlopCounterMode(display=False) as counter:
        encoding = encoder.forward(batch)
    encoder.release()
    n_run = spec.shape[0] or 1  # a model of a fixed batch runs all of it
    return encoding.features.shape[1], counter.get_total_flops() // n_run


def _blank(spec: ModelInput) -> Any:
    if spec.is_image:
        from transferscore.datasets import ImageSample

        return ImageSample.from_array(np.zeros((*spec.image_size, 3), dtype=np.uint8))
    return np.zeros([axis or _TOKENS for axis in spec.shape[1:]], dtype=np.float32)


def _shown(spec: ModelInput) -> str:
    if spec.is_image:
        return "{} x {} pixels".format(*spec.image_size)
    return f"{int(np.prod([axis or _TOKENS for axis in spec.shape[1:]]))} values"
