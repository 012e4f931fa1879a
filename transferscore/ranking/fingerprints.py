"""Which fingerprint belongs to which model: the one given for it, or the one beside it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from transferscore.distances import Fingerprint, load_fingerprint
from transferscore.encoders import Encoder, FeaturesFile
from transferscore.errors import InputError, UnknownNameError
from transferscore.features import Features
from transferscore.ranking.source import fingerprint_path

__all__ = ["Fingerprints", "FoundFingerprint", "fingerprints_of"]

Given = Mapping[str, "str | Path | Fingerprint"]


@dataclass(frozen=True, slots=True)
class FoundFingerprint:
    """A fingerprint for a model.

    Attributes:
        origin: The fingerprint, or its file.
        digest: Of its content.
        is_given: Whether the caller named it for this model; otherwise it lay beside the model.
    """

    origin: Fingerprint | Path
    digest: str
    is_given: bool

    def value(self) -> Fingerprint:
        """The fingerprint.

        Raises:
            InputError: The file is damaged.
        """
        if isinstance(self.origin, Fingerprint):
            return self.origin
        return load_fingerprint(self.origin)

    def objection(
        self, value: Fingerprint, encoder: Encoder | FeaturesFile, features: Features
    ) -> str | None:
        """Why the fingerprint cannot be compared with these features; None if it can."""
        if features.layers:
            return "the fingerprint is of one layer, and all layers were asked for."
        width = features.values.shape[1]
        if value.n_features != width:
            return (
                f"the fingerprint has {value.n_features} features and the model gives {width}: "
                "it was made with another model, layer or pooling."
            )
        if not self.is_given and _is_of_another(value, encoder):
            return (
                "the fingerprint beside the model was made with another version, layer, pooling or "
                "precision of it and is not used; make it anew, or name it with --fingerprint."
            )
        return None

    def remarks(self, value: Fingerprint, encoder: Encoder | FeaturesFile) -> list[str]:
        """What a reader of the distance should know."""
        if not (self.is_given and _is_of_another(value, encoder)):
            return []
        made_with = value.provenance.get("model", "another model")
        return [f"the fingerprint given was made with {made_with}, not with this very model."]


@dataclass(frozen=True, slots=True)
class Fingerprints:
    """The fingerprints that a caller named, by model name."""

    given: Mapping[str, str | Path | Fingerprint]

    def of(self, encoder: Encoder | FeaturesFile) -> FoundFingerprint | None:
        """The fingerprint for a model, or None."""
        if (named := self.given.get(encoder.name)) is not None:
            return _found(named, is_given=True)
        beside = fingerprint_path(encoder)
        if beside is None or not beside.is_file():
            return None
        return _found(beside, is_given=False)


def fingerprints_of(
    given: Given | None, encoders: Sequence[Encoder | FeaturesFile]
) -> Fingerprints:
    """The fingerprints that were named, each for exactly one of the models.

    Args:
        given: Model to fingerprint, or to its file. A model is named as the report calls it, or by
            the end of that: `resnet.onnx` for `onnx:zoo/resnet.onnx`.
        encoders: The models.

    Raises:
        UnknownNameError: A name is that of no model, or of several.
        InputError: There is no such file.
    """
    names = [encoder.name for encoder in encoders]
    found = {}
    for key, value in (given or {}).items():
        if not isinstance(value, Fingerprint) and not Path(value).is_file():
            raise InputError(f"There is no fingerprint `{value}` (named for the model {key!r}).")
        found[_model_named(key, names)] = value
    return Fingerprints(found)


def _model_named(key: str, names: Sequence[str]) -> str:
    if key in names:
        return key
    ends = [name for name in names if name.endswith((f"/{key}", f":{key}"))]
    if len(ends) == 1:
        return ends[0]
    raise UnknownNameError(
        f"A fingerprint must be for one of the models; {key!r} names {len(ends)} of "
        f"{', '.join(names)}."
    )


def _found(origin: str | Path | Fingerprint, *, is_given: bool) -> FoundFingerprint:
    if isinstance(origin, Fingerprint):
        arrays = (origin.gaussian.mean, origin.gaussian.factor, origin.coreset)
        content = b"".join(np.ascontiguousarray(array).tobytes() for array in arrays)
        return FoundFingerprint(origin, hashlib.sha256(content).hexdigest(), is_given)
    path = Path(origin)
    return FoundFingerprint(path, hashlib.sha256(path.read_bytes()).hexdigest(), is_given)


def _is_of_another(fingerprint: Fingerprint, encoder: Encoder | FeaturesFile) -> bool:
    """Whether it says that it was made with a model of another digest."""
    made_with = fingerprint.provenance.get("model_digest")
    # A file of features is named by its content, which source and target do not share.
    if not made_with or isinstance(encoder, FeaturesFile):
        return False
    return made_with != encoder.digest()
