"""Pretrained models seen as samples -> features; one adapter per library.

The adapters are loaded at first use, and the model libraries when a model is.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from transferscore.encoders.callable import CallableEncoder
    from transferscore.encoders.encoder import Described, Encoder, Encoding
    from transferscore.encoders.export import ExportEncoder
    from transferscore.encoders.features_file import FeaturesFile
    from transferscore.encoders.hf import HfEncoder
    from transferscore.encoders.keras import KerasEncoder
    from transferscore.encoders.language_losses import TokenLosses, token_losses
    from transferscore.encoders.module import ModuleEncoder
    from transferscore.encoders.on_disk import model_path
    from transferscore.encoders.onnx import OnnxEncoder
    from transferscore.encoders.resolve import resolve_encoder, resolve_models
    from transferscore.encoders.st import SentenceEncoder
    from transferscore.encoders.stored_norms import NormLayer, norm_layers
    from transferscore.encoders.timm import TimmEncoder
    from transferscore.encoders.torch_inference import is_out_of_memory
    from transferscore.encoders.trainable import (
        TrainableEncoder,
        TrainableModel,
        take_rows,
        trainable_model,
        why_untrainable,
    )
    from transferscore.encoders.uri import ModelUri, expand_globs, parse_uri
    from transferscore.encoders.vectors import VectorsEncoder

__all__ = [
    "CallableEncoder",
    "Described",
    "Encoder",
    "Encoding",
    "ExportEncoder",
    "FeaturesFile",
    "HfEncoder",
    "KerasEncoder",
    "ModelUri",
    "ModuleEncoder",
    "NormLayer",
    "OnnxEncoder",
    "SentenceEncoder",
    "TimmEncoder",
    "TokenLosses",
    "TrainableEncoder",
    "TrainableModel",
    "VectorsEncoder",
    "expand_globs",
    "is_out_of_memory",
    "model_path",
    "norm_layers",
    "parse_uri",
    "resolve_encoder",
    "resolve_models",
    "take_rows",
    "token_losses",
    "trainable_model",
    "why_untrainable",
]

_HOMES = {
    "CallableEncoder": "callable",
    "Described": "encoder",
    "Encoder": "encoder",
    "Encoding": "encoder",
    "ExportEncoder": "export",
    "FeaturesFile": "features_file",
    "KerasEncoder": "keras",
    "HfEncoder": "hf",
    "ModelUri": "uri",
    "ModuleEncoder": "module",
    "NormLayer": "stored_norms",
    "TimmEncoder": "timm",
    "SentenceEncoder": "st",
    "OnnxEncoder": "onnx",
    "TokenLosses": "language_losses",
    "TrainableEncoder": "trainable",
    "TrainableModel": "trainable",
    "VectorsEncoder": "vectors",
    "expand_globs": "uri",
    "is_out_of_memory": "torch_inference",
    "model_path": "on_disk",
    "norm_layers": "stored_norms",
    "parse_uri": "uri",
    "resolve_encoder": "resolve",
    "resolve_models": "resolve",
    "take_rows": "trainable",
    "token_losses": "language_losses",
    "trainable_model": "trainable",
    "why_untrainable": "trainable",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
