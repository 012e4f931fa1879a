"""Profiles of transformers and sentence-transformers folders: their networks without weights."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

from transferscore.encoders.hf import HfEncoder
from transferscore.encoders.hf_folder import ModelFolder, commit_of, find_folder
from transferscore.encoders.hf_model import empty_model, quiet
from transferscore.encoders.hf_pooling import Pooler
from transferscore.encoders.profile import Profile
from transferscore.encoders.samples import Modality
from transferscore.encoders.uri import ModelUri

__all__ = ["license_of", "profile_hf", "profile_st", "weights_format_of"]

Network = Any  # an `nn.Module`

_TOKENS = 128
_BYTES_A_PARAMETER = 4  # weights are float32 once loaded
_FRONT_MATTER = re.compile(r"---\s*\n(.*?)\n---", re.DOTALL)
_LICENSE = re.compile(r"^license:\s*(\S+)\s*$", re.MULTILINE)


def profile_hf(uri: ModelUri) -> Profile:
    """The profile of an `hf:` model."""
    folder = find_folder(
        uri.path, uri.revision, uri.text, is_trusted=uri.is_trusted, with_weights=False
    )
    return _profile_folder(folder, uri)


def profile_st(uri: ModelUri) -> Profile:
    """The profile of an `st:` model: that of the transformer in it."""
    root = find_folder(
        uri.path, uri.revision, uri.text, is_trusted=uri.is_trusted, with_weights=False
    )
    inner = root.path / _transformer_path(root.path)
    folder = replace(root, path=inner, config=json.loads((inner / "config.json").read_text()))
    known = _profile_folder(folder, uri)
    return replace(known, license=license_of(root.path), revision=commit_of(root.path))


def license_of(folder: Path) -> str | None:
    """The licence in the head of the folder's README.md."""
    card = folder / "README.md"
    head = _FRONT_MATTER.match(card.read_text("utf-8", "replace")) if card.is_file() else None
    stated = _LICENSE.search(head[1]) if head else None
    return stated[1].strip("\"'") if stated else None


def weights_format_of(folder: Path) -> str | None:
    """By the files that are there: "safetensors", "pytorch", or None."""
    if any(folder.glob("*.safetensors")):
        return "safetensors"
    return "pytorch" if any(folder.glob("*.bin")) else None


def _profile_folder(folder: ModelFolder, uri: ModelUri) -> Profile:
    model = empty_model(folder, uri.text)
    n_parameters = sum(weight.numel() for weight in model.parameters())
    known = Profile(
        uri.text,
        parameters=n_parameters,
        license=license_of(folder.adapter or folder.path) or license_of(folder.path),
        weights_format=weights_format_of(folder.adapter or folder.path),
        memory_bytes=n_parameters * _BYTES_A_PARAMETER,
        revision=commit_of(folder.path),
    )
    modality: Modality = folder.main_modality
    return _with_cost(known, model, folder, modality)


def _with_cost(known: Profile, model: Network, folder: ModelFolder, modality: Modality) -> Profile:
    """The profile with what one forward pass of the empty network tells."""
    import torch
    from torch.utils.flop_counter import FlopCounterMode

    inputs, shown = _blank_inputs(folder, modality, known.model)
    tower = "vision_model" if modality == "image" else "text_model"
    part: Network = getattr(model, tower, model)
    with quiet(), torch.no_grad(), FlopCounterMode(display=False) as counter:
        output: Any = part(**inputs, output_hidden_states=True)
    pooler = Pooler(modality, "auto", part, part is not model, None, None, known.model)
    states = output.hidden_states or ()
    return replace(
        known,
        flops=counter.get_total_flops(),
        flops_input=shown,
        n_features=pooler.layers(output, -1)[0].shape[1],
        n_layers=max(0, len(states) - 1) or None,
    )


def _blank_inputs(folder: ModelFolder, modality: Modality, name: str) -> tuple[dict[str, Any], str]:
    """The model's input for one blank sample, without memory, and what it is in words."""
    import torch

    if modality == "text":
        length = min(_TOKENS, folder.text_limit(_TOKENS))
        ids = torch.zeros((1, length), dtype=torch.int64, device="meta")
        return {"input_ids": ids}, f"{length} tokens"
    encoder = HfEncoder(str(folder.path), device="cpu", name=name)
    batch = encoder.prepare([_blank_sample(modality)])
    inputs = {
        key: torch.from_numpy(value).to("meta")
        for key, value in batch.inputs.items()
        if key in ("pixel_values", "input_values", "input_features")
    }
    shape = next(iter(inputs.values())).shape
    if modality == "image":
        return inputs, f"{shape[-2]} x {shape[-1]} pixels"
    return inputs, "1 s of sound" if len(shape) == 2 else f"{shape[1]} x {shape[2]} spectrogram"


def _blank_sample(modality: Modality) -> Any:
    import numpy as np

    from transferscore.datasets import AudioSample, ImageSample

    if modality == "image":
        return ImageSample.from_array(np.zeros((224, 224, 3), dtype=np.uint8))
    return AudioSample.from_array(np.zeros(16_000, dtype=np.float32), 16_000)


def _transformer_path(root: Path) -> str:
    """Where in a sentence-transformers folder its first module is."""
    file = root / "modules.json"
    modules = json.loads(file.read_text(encoding="utf-8")) if file.is_file() else []
    return str(modules[0]["path"]) if modules else ""
