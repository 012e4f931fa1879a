"""Fingerprints: what of a source sample travels with a model, for distances without its data.

A fingerprint holds the exact moments of the sample, its class prototypes and a coreset: a seeded
random sample of rows, stratified by class where labels are given. Distances that live on moments
or prototypes are what they would be on the whole sample; the others compare with the coreset.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from transferscore.distances.gaussian import Gaussian, gaussian_of
from transferscore.distances.prototypes import Prototypes, class_codes, prototypes_of
from transferscore.errors import InputError
from transferscore.statistics.rows import check_features

__all__ = [
    "Fingerprint",
    "fingerprint_of",
    "is_fingerprint",
    "load_fingerprint",
    "save_fingerprint",
]

_KIND = "transferscore-fingerprint-"
_FORMAT = f"{_KIND}1"


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """A source sample in short.

    Attributes:
        gaussian: Count, mean and covariance factor of all rows.
        coreset: `(k, d)` rows of the sample.
        prototypes: Class means `(K, d)` and counts, or None without labels.
        coreset_codes: `(k,)` class of each coreset row as a row of the prototypes, or None.
        provenance: Where the sample came from, in words; free for the caller to fill.
    """

    gaussian: Gaussian
    coreset: NDArray[Any]
    prototypes: Prototypes | None = None
    coreset_codes: NDArray[np.int64] | None = None
    provenance: Mapping[str, str] = field(default_factory=dict)

    @property
    def n_features(self) -> int:
        """Width d of the features."""
        return len(self.gaussian.mean)


def fingerprint_of(
    features: ArrayLike,
    labels: ArrayLike | None = None,
    *,
    coreset_size: int = 256,
    seed: int = 0,
    provenance: Mapping[str, str] | None = None,
) -> Fingerprint:
    """Summarise a source sample so that every distance can be taken to it later.

    Args:
        features: `(n_samples, n_features)`.
        labels: `(n_samples,)` classes; without them there are no prototypes.
        coreset_size: Rows kept, all where there are fewer; with labels, each class keeps its share.
        seed: Of the choice of rows.
        provenance: Where the sample came from: model, dataset, date.

    Returns:
        The fingerprint.

    Raises:
        InputError: A value is not finite, labels do not match rows, or the coreset would be empty.

    Examples:
        >>> fingerprint = fingerprint_of([[1, 0], [2, 1], [0, 1], [1, 2], [3, 1]], [0, 0, 1, 1, 0])
        >>> fingerprint.gaussian.mean.tolist(), fingerprint.prototypes.counts.tolist()
        ([1.4, 1.0], [3, 2])
    """
    array = check_features(features)
    if coreset_size < 1:
        raise InputError(f"`coreset_size` must be at least 1; got {coreset_size}.")
    codes = None if labels is None else class_codes(labels, len(array), "labels")
    chosen = _stratified(codes, len(array), coreset_size, seed)
    return Fingerprint(
        gaussian_of(array),
        array[chosen],
        None if codes is None else prototypes_of(array, codes),
        None if codes is None else codes[chosen],
        dict(provenance or {}),
    )


def _stratified(codes: NDArray[np.int64] | None, n: int, size: int, seed: int) -> NDArray[np.int64]:
    """Sorted rows, `size` of n: every class keeps its share to within one row."""
    order = np.random.default_rng(seed).permutation(n)
    if n <= size:
        return np.arange(n)
    if codes is not None:
        # Rows in class order, shuffled within: evenly spaced picks take each class's share.
        order = order[np.argsort(codes[order], kind="stable")]
        order = order[np.floor((np.arange(size) + 0.5) * n / size).astype(np.int64)]
    return np.sort(order[:size])


def save_fingerprint(fingerprint: Fingerprint, path: str | Path) -> None:
    """Write a fingerprint as one safetensors file; an existing file is replaced.

    Raises:
        InputError: The file cannot be written.
    """
    from safetensors import SafetensorError
    from safetensors.numpy import save_file

    tensors = {
        "mean": fingerprint.gaussian.mean,
        "factor": fingerprint.gaussian.factor,
        "coreset": fingerprint.coreset,
    }
    if fingerprint.prototypes is not None and fingerprint.coreset_codes is not None:
        tensors["prototype_means"] = fingerprint.prototypes.means
        tensors["prototype_counts"] = fingerprint.prototypes.counts
        tensors["coreset_codes"] = fingerprint.coreset_codes
    metadata = {
        "format": _FORMAT,
        "count": str(fingerprint.gaussian.count),
        "provenance": json.dumps(dict(fingerprint.provenance), sort_keys=True),
    }
    # safetensors writes the buffer as it lies in memory, whatever the strides say.
    contiguous = {name: np.ascontiguousarray(tensor) for name, tensor in tensors.items()}
    try:
        save_file(contiguous, Path(path), metadata=metadata)
    except (OSError, SafetensorError) as error:
        raise InputError(f"The fingerprint {path} cannot be written: {error}.") from None


def is_fingerprint(path: str | Path) -> bool:
    """Whether a safetensors file says that it is a fingerprint; False if it cannot be read."""
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(Path(path), framework="numpy") as file:
            return str((file.metadata() or {}).get("format", "")).startswith(_KIND)
    except (OSError, SafetensorError):
        return False


def load_fingerprint(path: str | Path) -> Fingerprint:
    """Read what `save_fingerprint` wrote; nothing in the file is ever run.

    Raises:
        InputError: The file is missing, damaged, or no fingerprint.
    """
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(Path(path), framework="numpy") as file:
            metadata = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (OSError, SafetensorError) as error:
        raise InputError(f"The fingerprint {path} cannot be read: {error}.") from None
    if metadata.get("format") != _FORMAT:
        raise InputError(
            f"{path} must be a fingerprint of format {_FORMAT!r}; got {metadata.get('format')!r}. "
            "Write it with save_fingerprint."
        )
    try:
        return _from_tensors(tensors, metadata)
    except (KeyError, ValueError) as error:
        raise InputError(f"The fingerprint {path} is damaged: {error}.") from None


def _from_tensors(tensors: dict[str, NDArray[Any]], metadata: dict[str, str]) -> Fingerprint:
    gaussian = Gaussian(int(metadata["count"]), tensors["mean"], tensors["factor"])
    coreset = check_features(tensors["coreset"], "coreset")
    check_features(gaussian.factor, "factor")
    check_features(gaussian.mean[None], "mean")
    widths = {len(gaussian.mean), gaussian.factor.shape[1], coreset.shape[1]}
    prototypes = codes = None
    if "prototype_means" in tensors:
        means, counts = tensors["prototype_means"], tensors["prototype_counts"]
        prototypes = Prototypes(check_features(means, "prototype_means"), counts)
        codes = _checked_codes(tensors["coreset_codes"], coreset, prototypes)
        widths.add(means.shape[1])
    if len(widths) > 1:
        raise ValueError(f"its arrays have different widths {sorted(widths)}")
    return Fingerprint(gaussian, coreset, prototypes, codes, json.loads(metadata["provenance"]))


def _checked_codes(
    codes: NDArray[Any], coreset: NDArray[Any], prototypes: Prototypes
) -> NDArray[np.int64]:
    n_classes = len(prototypes.means)
    fits = codes.shape == (len(coreset),) and prototypes.counts.shape == (n_classes,)
    if not fits or codes.min() < 0 or codes.max() >= n_classes:
        raise ValueError("its class ids do not fit its prototypes")
    return codes.astype(np.int64)
