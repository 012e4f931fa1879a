"""Baseline: an encoder that was never trained, fitting for what the samples are."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from transferscore.baselines.columns import column_features
from transferscore.baselines.mel import mel_statistics
from transferscore.baselines.numbers import raw_numbers
from transferscore.baselines.pixels import raw_pixels
from transferscore.baselines.tfidf import bag_of_words, pair_features
from transferscore.baselines.words import word_features
from transferscore.datasets import Dataset, sample_digests
from transferscore.encoders import Encoding

__all__ = ["Baseline", "baseline_of"]

_VERSION = "baseline 2"
Transform = Callable[[Sequence[Any]], NDArray[np.float32]]


class Baseline:
    """Simple features of samples, made without any pretrained model.

    Some are fitted to the samples of the dataset, never to their labels: which words are rare,
    what a column's mean is.

    Args:
        name: "baseline:" and what the features are.
        tells: What they are, in a few words.
        transform: Makes `(b, d)` features of b samples.
        dataset: The samples that `transform` is fitted to, if it is; they are part of the digest.
    """

    def __init__(
        self, name: str, tells: str, transform: Callable[[], Transform], dataset: Dataset | None
    ) -> None:
        self._name, self._tells = name, tells
        self._make, self._dataset = transform, dataset

    @property
    def name(self) -> str:
        """What the report calls it."""
        return self._name

    def details(self) -> Mapping[str, str]:
        """What the features are."""
        return {"baseline": self._tells}

    def digest(self) -> str:
        """Hash of the kind of features, and of the samples that they are fitted to."""
        fitted_to = [] if self._dataset is None else sample_digests(self._dataset)
        return hashlib.sha256("\n".join([_VERSION, self._name, *fitted_to]).encode()).hexdigest()

    def cost(self, sample: Any) -> int:  # noqa: ARG002 -- as the protocol has it
        """1: all samples are alike to it."""
        return 1

    def prepare(self, samples: Sequence[Any]) -> NDArray[np.float32] | Sequence[Any]:
        """The features themselves where they need no fitting, else the samples."""
        return list(samples) if self._dataset is not None else self._transform(samples)

    def forward(self, batch: Any) -> Encoding:
        """Features of a prepared batch; words have a row each."""
        features = batch if self._dataset is None else self._transform(batch)
        if self._dataset is None or self._dataset.modality != "tokens":
            return Encoding(features)
        return Encoding(features, word_mask=np.ones(len(features), dtype=np.bool_))

    def release(self) -> None:
        """Drop what was fitted."""
        vars(self).pop("_transform", None)

    @cached_property
    def _transform(self) -> Transform:
        return self._make()


def baseline_of(dataset: Dataset) -> Baseline:
    """The baseline for the samples of a dataset. Nothing is read or fitted yet."""
    samples, n = dataset.samples, len(dataset)
    fitted: dict[str, tuple[str, str, Callable[[], Transform]]] = {
        "text": ("tfidf", "bag of words and pairs of words", lambda: bag_of_words(samples)),
        "text_pair": (
            "tfidf",
            "words and letters of both compared",
            lambda: pair_features(samples),
        ),
        "tokens": (
            "words",
            "the word, its ending and its neighbours",
            lambda: word_features(samples),
        ),
        "table": ("columns", "numbers scaled, categories as 0/1", lambda: column_features(samples)),
        "array": ("numbers", "the numbers themselves, scaled", lambda: raw_numbers(samples, n)),
    }
    if dataset.modality in fitted:
        name, tells, make = fitted[dataset.modality]
        return Baseline(f"baseline:{name}", tells, make, dataset)
    if dataset.modality == "audio":
        tells = "mean, spread and change of 64 mel bands"
        return Baseline("baseline:mel", tells, lambda: mel_statistics, None)
    return Baseline("baseline:pixels", "raw pixels, 16 × 16", lambda: raw_pixels, None)
