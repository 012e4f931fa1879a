"""What is known of a model before it runs: size, cost, width, licence."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from pathlib import Path

from transferscore.encoders.digests import existing_file
from transferscore.encoders.loading import explained
from transferscore.encoders.uri import ModelUri, parse_uri

__all__ = ["Profile", "profile"]


_WORDS = 128  # of the text whose cost is told


@dataclass(frozen=True, slots=True)
class Profile:
    """A model's size and cost. What cannot be told is None.

    Attributes:
        model: The URI as written.
        parameters: Numbers that were learnt.
        flops: Floating-point operations of the forward pass of one sample, a multiplication and an
            addition counted as two.
        flops_input: What that sample is: "224 x 224 pixels", "128 tokens".
        n_features: Feature width.
        n_layers: Hidden layers, which `layer=` can name; of a graph, its operations with weights.
        license: As the model states it.
        weights_format: "safetensors", "pytorch", "onnx", "torch.export", "keras" or "npz".
        memory_bytes: Memory that its weights take once loaded.
        revision: Commit on the hub.
    """

    model: str
    parameters: int | None = None
    flops: int | None = None
    flops_input: str | None = None
    n_features: int | None = None
    n_layers: int | None = None
    license: str | None = None
    weights_format: str | None = None
    memory_bytes: int | None = None
    revision: str | None = None


_PROFILERS = {
    "export": "transferscore.encoders.profile_graphs:profile_export",
    "hf": "transferscore.encoders.profile_hf:profile_hf",
    "keras": "transferscore.encoders.profile_graphs:profile_keras",
    "onnx": "transferscore.encoders.profile_onnx:profile_onnx",
    "st": "transferscore.encoders.profile_hf:profile_st",
    "timm": "transferscore.encoders.profile_graphs:profile_timm",
}


def profile(model: str | Path, *, trust_remote_code: Collection[str] = ()) -> Profile:
    """What is known of a model without running anything big.

    The weights of transformers, timm and ONNX models are not read: their networks are built without
    memory ("meta" tensors), or their graphs walked through. Those of a program or a Keras file are
    read, and one blank sample is run. Of a name on the hub, only small files are fetched.

    Args:
        model: A URI.
        trust_remote_code: Models that may run the code they come with.

    Raises:
        EncoderError: The model cannot be found or read.
    """
    uri = parse_uri(str(model))
    uri = replace(uri, is_trusted=uri.path in trust_remote_code)
    if uri.scheme == "features":
        return _profile_features(uri)
    if uri.scheme == "vectors":
        return _profile_vectors(uri)
    module, _, function = _PROFILERS[uri.scheme].partition(":")
    profiler: Callable[[ModelUri], Profile] = getattr(importlib.import_module(module), function)
    with explained(uri.text, "read"):
        return profiler(uri)


def _profile_features(uri: ModelUri) -> Profile:
    """Features without a model: only their width is known."""
    from transferscore.encoders.features_file import FeaturesFile

    path = existing_file(uri.path)
    file = FeaturesFile(path, array=uri.output, name=uri.text)
    width = file.width()
    return Profile(uri.text, n_features=width, weights_format=path.suffix.removeprefix("."))


def _profile_vectors(uri: ModelUri) -> Profile:
    """Word vectors: a text costs one addition for each number of each of its words."""
    from transferscore.encoders.vectors import read_word_vectors

    vectors = read_word_vectors(Path(uri.path).expanduser(), uri.text).vectors
    return Profile(
        uri.text,
        parameters=vectors.size,
        flops=_WORDS * vectors.shape[1],
        flops_input=f"{_WORDS} words",
        n_features=vectors.shape[1],
        n_layers=1,
        weights_format="npz",
        memory_bytes=vectors.nbytes,
    )
