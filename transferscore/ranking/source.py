"""A source sample in a model's own space: encoded, and as the fingerprint that travels with it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from transferscore.datasets import Dataset
from transferscore.distances import Fingerprint, fingerprint_of
from transferscore.encoders import Encoder, FeaturesFile, model_path, resolve_models
from transferscore.errors import EncoderError
from transferscore.events import Event, SamplesEncoded
from transferscore.features import Store, extract_features

__all__ = ["Encoded", "encode", "fingerprint_path", "fingerprint_source", "one_encoder"]

Encoded = tuple[NDArray[Any], NDArray[Any] | None]


def one_encoder(model: Any, device: str = "auto") -> Encoder | FeaturesFile:
    """The encoder of exactly one model.

    Raises:
        EncoderError: It is none, or a glob that matches several.
    """
    encoders = resolve_models(model, device=device)
    if len(encoders) > 1:
        raise EncoderError(f"`{model}` must be one model; it matches {len(encoders)}.")
    return encoders[0]


def encode(
    encoder: Encoder | FeaturesFile,
    dataset: Dataset,
    store: Store | None = None,
    on_event: Callable[[Event], None] | None = None,
) -> Encoded:
    """Features `(n, d)` of the readable samples, and their classes `(n,)` where they have any."""
    features = extract_features(
        encoder,
        dataset,
        store=store,
        on_progress=lambda done, stored: (
            on_event(SamplesEncoded(encoder.name, done, len(dataset), stored)) if on_event else None
        ),
    )
    has_classes = dataset.task.kind == "classification"
    return features.values, np.asarray(dataset.labels)[features.kept] if has_classes else None


def fingerprint_source(
    encoder: Encoder | FeaturesFile,
    dataset: Dataset,
    *,
    coreset_size: int = 256,
    seed: int = 0,
    store: Store | None = None,
    on_event: Callable[[Event], None] | None = None,
) -> Fingerprint:
    """Encode a source sample and summarise it, so that distances can be taken without it later.

    Args:
        encoder: The model.
        dataset: What it was trained on, or a sample of that.
        coreset_size: Rows kept.
        seed: Of the rows drawn.
        store: Where features are kept.
        on_event: Called as samples are encoded.

    Raises:
        EncoderError: The model cannot be loaded or run.
        InputError: The features are not finite, or the coreset would be empty.
    """
    features, labels = encode(encoder, dataset, store, on_event)
    provenance = {
        "model": encoder.name,
        "model_digest": encoder.digest() or "",
        "source": dataset.name,
    }
    return fingerprint_of(
        features, labels, coreset_size=coreset_size, seed=seed, provenance=provenance
    )


def fingerprint_path(encoder: Encoder | FeaturesFile) -> Path | None:
    """`MODEL.fingerprint.safetensors` beside a model in a file or folder; None for others."""
    path = model_path(encoder)
    return None if path is None else path.with_name(f"{path.name}.fingerprint.safetensors")
