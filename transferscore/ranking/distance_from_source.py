"""How far the target lies from what a model has seen, by whatever the model brings to tell it."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from transferscore.datasets import Dataset
from transferscore.distances import Fingerprint, batch_norm_distance, level_of, perplexity_distance
from transferscore.distances.level import Level
from transferscore.encoders import Encoder, FeaturesFile, norm_layers, token_losses
from transferscore.features import Entry, Features, Store
from transferscore.ranking.fingerprints import FoundFingerprint
from transferscore.wording import one_line

__all__ = ["SourceDistance", "source_distance"]

# Samples that pass the model a second time: one in twenty, but no fewer than are worth a look.
_SHARE = 20
_LEAST_SAMPLES, _MOST_SAMPLES = 16, 64


@dataclass(frozen=True, slots=True)
class SourceDistance:
    """How far a dataset lies from a model's source.

    Attributes:
        name: "relative_energy" (from a fingerprint), "batch_norm" or "perplexity".
        value: At least 0, lower is closer; of one name, comparable between models (for perplexity,
            between models of one tokenizer).
        level: "low", "moderate", "high" or "very high".
        rests_on: What it was computed from, in words.
    """

    name: str
    value: float
    level: Level
    rests_on: str


def source_distance(
    encoder: Encoder | FeaturesFile,
    dataset: Dataset,
    features: Features,
    fingerprint: FoundFingerprint | None,
    store: Store | None = None,
    digests: Sequence[str] | None = None,
) -> tuple[SourceDistance | None, list[str]]:
    """The distance of the dataset from the model's source, and notes on why there is none.

    A fingerprint of the source comes first; without one, what the model itself knows of its source:
    the statistics in its batch norms, or what its language-model head foresees of texts. Nothing
    that goes wrong here is the candidate's failure.

    Args:
        encoder: The model.
        dataset: The target.
        features: Of the target.
        fingerprint: Of the model's source, if there is one.
        store: Where what the model itself tells is kept.
        digests: `sample_digests(dataset)`, with a store.
    """
    try:
        notes: list[str] = []
        if fingerprint is not None:
            value = fingerprint.value()
            if (why_not := fingerprint.objection(value, encoder, features)) is None:
                return _from_fingerprint(value, features), fingerprint.remarks(value, encoder)
            notes.append(why_not)
        if isinstance(encoder, FeaturesFile):
            return None, notes
        return _kept(encoder, dataset, features, store, digests), notes
    except Exception as error:
        return None, [f"distance from the source not computed: {one_line(error)}"]


def _from_fingerprint(fingerprint: Fingerprint, features: Features) -> SourceDistance:
    found = level_of(fingerprint, features.values)
    source = fingerprint.provenance.get("source", "the source")
    return SourceDistance(
        "relative_energy",
        max(0.0, found.effect),
        found.level,
        f"a fingerprint of {source}: {found.n_rows} of its {fingerprint.gaussian.count:,} rows",
    )


def _kept(
    encoder: Encoder,
    dataset: Dataset,
    features: Features,
    store: Store | None,
    digests: Sequence[str] | None,
) -> SourceDistance | None:
    """What the model itself tells, from the store where it was asked before."""
    key = _key(encoder, digests) if store is not None and digests else None
    if key is not None and store is not None and (entry := store.get(key)):
        about = entry.about["distance"]
        return None if about is None else SourceDistance(**about)
    found = _from_model(encoder, _some_samples(dataset, features))
    if key is not None and store is not None:
        store.put(key, Entry({}, {"distance": None if found is None else asdict(found)}))
    return found


def _from_model(encoder: Encoder, samples: Sequence[Any]) -> SourceDistance | None:
    return _from_batch_norms(encoder, samples) or _from_language(encoder, samples)


def _from_batch_norms(encoder: Encoder, samples: Sequence[Any]) -> SourceDistance | None:
    layers = norm_layers(encoder, samples)
    if not layers:
        return None
    found = batch_norm_distance(layers)
    return SourceDistance(
        "batch_norm",
        found.value,
        found.level,
        f"the stored statistics of {len(layers)} batch norms, {found.n_samples} samples",
    )


def _from_language(encoder: Encoder, samples: Sequence[Any]) -> SourceDistance | None:
    losses = token_losses(encoder, samples)
    if losses is None:
        return None
    found = perplexity_distance(losses)
    return SourceDistance(
        "perplexity",
        found.value,
        found.level,
        f"its {losses.kind} language-model head on {found.n_tokens:,} tokens of {found.n_texts} "
        f"texts, against the same tokens permuted",
    )


def _some_samples(dataset: Dataset, features: Features) -> list[Any]:
    """A seeded few of the samples that could be read, in their order."""
    # Not `kept`: of sentences, its entries are words.
    readable = np.setdiff1d(np.arange(len(dataset)), list(features.unreadable))
    size = min(max(len(readable) // _SHARE, _LEAST_SAMPLES), _MOST_SAMPLES)
    chosen = np.sort(np.random.default_rng(0).permutation(readable)[:size])
    return [dataset.samples[row] for row in chosen]


def _key(encoder: Encoder, digests: Sequence[str]) -> str | None:
    if (digest := encoder.digest()) is None:
        return None
    return hashlib.sha256("\n".join(["distance-2", digest, *digests]).encode()).hexdigest()
