"""The table of model adapters: which class serves which scheme. A new adapter is a row here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

__all__ = ["ADAPTERS", "Adapter"]


@dataclass(frozen=True, slots=True)
class Adapter:
    """How models of one scheme are read.

    Attributes:
        scheme: What stands before the colon of the URI.
        target: `module:Class`, imported when a model of the scheme is asked for. The class has a
            `from_uri(uri, *, device, name)`.
        options: The keys that `?key=value` may have.
        has_output: Whether `#output` may follow.
        has_revision: Whether `@revision` may follow.
        suffixes: File suffixes by which a bare path is understood to be of this scheme.
    """

    scheme: str
    target: str
    options: tuple[str, ...] = ()
    has_output: bool = True
    has_revision: bool = False
    suffixes: tuple[str, ...] = ()


_ROWS = (
    Adapter(
        "export",
        "transferscore.encoders.export:ExportEncoder",
        options=("size",),
        suffixes=(".pt2",),
    ),
    Adapter("features", "transferscore.encoders.features_file:FeaturesFile"),
    Adapter(
        "hf",
        "transferscore.encoders.hf:HfEncoder",
        options=("layer", "pooling", "precision"),
        has_output=False,
        has_revision=True,
    ),
    Adapter(
        "keras",
        "transferscore.encoders.keras:KerasEncoder",
        options=("pooling", "scale", "size"),
        suffixes=(".keras",),
    ),
    Adapter(
        "onnx",
        "transferscore.encoders.onnx:OnnxEncoder",
        options=("pooling", "rate", "size"),
        suffixes=(".onnx",),
    ),
    Adapter(
        "st",
        "transferscore.encoders.st:SentenceEncoder",
        options=("precision", "prompt"),
        has_output=False,
        has_revision=True,
    ),
    Adapter(
        "timm",
        "transferscore.encoders.timm:TimmEncoder",
        options=("layer", "pooling", "precision"),
        has_output=False,
        has_revision=True,
    ),
    Adapter(
        "vectors",
        "transferscore.encoders.vectors:VectorsEncoder",
        options=("pooling",),
        has_output=False,
    ),
)

ADAPTERS: Mapping[str, Adapter] = MappingProxyType({row.scheme: row for row in _ROWS})
