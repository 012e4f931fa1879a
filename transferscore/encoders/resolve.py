"""From what a caller calls a model to the encoder that runs it."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

from transferscore.encoders.callable import CallableEncoder
from transferscore.encoders.encoder import Encoder
from transferscore.encoders.features_file import FeaturesFile
from transferscore.encoders.module import ModuleEncoder
from transferscore.encoders.registry import ADAPTERS
from transferscore.encoders.renamed import RenamedEncoder
from transferscore.encoders.uri import expand_globs, parse_uri
from transferscore.errors import EncoderError

__all__ = ["resolve_encoder", "resolve_models"]


Model = Any  # a URI, an nn.Module, a function, an Encoder: told apart here
Models = Any  # one of them, several, or several under names


def resolve_encoder(
    model: Model,
    *,
    device: str = "auto",
    name: str | None = None,
    trust_remote_code: Collection[str] = (),
) -> Encoder | FeaturesFile:
    """The encoder of one model. Reads no weights and imports no model library.

    Args:
        model: A URI, a `torch.nn.Module`, a function from samples to features, or an encoder.
        device: "auto", "cpu" or "cuda".
        name: What the report calls the model; otherwise the URI, the class or the function's name.
        trust_remote_code: Models whose own code may be run, by what follows the scheme in their
            URI: "org/name".

    Raises:
        UnknownSchemeError: A URI has a scheme that no adapter serves.
        EncoderError: It is none of these.
    """
    if isinstance(model, str | Path):
        return _of_uri(str(model), device, name, trust_remote_code)
    if isinstance(model, type):
        raise EncoderError(
            f"A model must be an object; got the class {model.__name__}. Pass an instance of it."
        )
    if isinstance(model, FeaturesFile | Encoder):
        return model if name in (None, model.name) else _renamed(model, name or model.name)
    if _is_module(model):
        return ModuleEncoder(model, device=device, name=name)
    if callable(model):
        return CallableEncoder(model, name=name)
    raise EncoderError(
        f"A model must be a URI such as `onnx:model.onnx`, a torch.nn.Module, a function from "
        f"samples to features, or an Encoder; got {type(model).__name__}."
    )


def resolve_models(
    models: Models,
    *,
    device: str = "auto",
    trust_remote_code: Collection[str] = (),
) -> list[Encoder | FeaturesFile]:
    """The encoders of several models, each under a name of its own.

    Args:
        models: One model, an iterable of models, or a mapping from names to models. URIs may be
            globs, except under a name. Where two models would share a name, the second is called
            "name (2)".
        device: "auto", "cpu" or "cuda".
        trust_remote_code: As for `resolve_encoder`.

    Raises:
        EncoderError: There is no model, a glob matches nothing, or something is no model.
    """
    if isinstance(models, Mapping) and not _is_module(models):
        named: list[tuple[str | None, Model]] = [
            (str(name), model) for name, model in models.items()
        ]
    else:
        named = [(None, model) for model in _expanded(models)]
    encoders = [
        resolve_encoder(model, device=device, name=name, trust_remote_code=trust_remote_code)
        for name, model in named
    ]
    if not encoders:
        raise EncoderError("`models` must name at least one model; got none.")
    return _with_own_names(encoders)


def _of_uri(
    text: str, device: str, name: str | None, trusted: Collection[str]
) -> Encoder | FeaturesFile:
    uri = parse_uri(text)
    uri = replace(uri, is_trusted=uri.path in trusted)
    module, _, class_name = ADAPTERS[uri.scheme].target.partition(":")
    adapter = getattr(importlib.import_module(module), class_name)
    return cast("Encoder | FeaturesFile", adapter.from_uri(uri, device=device, name=name or text))


def _is_module(model: Model) -> bool:
    """Whether this is an nn.Module, which nobody can have made without importing torch."""
    torch = sys.modules.get("torch")
    return torch is not None and isinstance(model, torch.nn.Module)


def _expanded(models: Models) -> list[Any]:
    is_one = isinstance(models, str | Path | FeaturesFile | Encoder) or _is_module(models)
    if is_one or not isinstance(models, Iterable):
        models = [models]
    expanded: list[Any] = []
    for model in models:
        is_uri = isinstance(model, str | Path)
        found = expand_globs([str(model)]) if is_uri else [model]
        expanded += [item for item in found if not (is_uri and item in expanded)]
    return expanded


def _with_own_names(encoders: list[Encoder | FeaturesFile]) -> list[Encoder | FeaturesFile]:
    taken: set[str] = set()
    result: list[Encoder | FeaturesFile] = []
    for encoder in encoders:
        name, count = encoder.name, 1
        while name in taken:
            count += 1
            name = f"{encoder.name} ({count})"
        taken.add(name)
        result.append(encoder if name == encoder.name else _renamed(encoder, name))
    return result


def _renamed(encoder: Encoder | FeaturesFile, name: str) -> Encoder | FeaturesFile:
    if isinstance(encoder, FeaturesFile):
        return encoder.renamed(name)
    return RenamedEncoder(encoder, name)
