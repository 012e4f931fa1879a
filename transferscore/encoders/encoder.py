"""Encoder: a pretrained model seen as samples -> features. Each library has an adapter to it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

__all__ = ["Batch", "Encoder", "Encoding", "Sample"]

Sample = Any  # an `ImageSample`, a `str` or a numpy row
Batch = Any  # what `prepare` makes and `forward` takes: each encoder's own affair


@dataclass(frozen=True, slots=True)
class Encoding:
    """What a model says of b samples.

    Attributes:
        features: `(b, d)` float32.
        logits: `(b, C)` float32 of the model's own classifier over its source classes, or None. A
            model that ends in a softmax gives the logarithm of its probabilities, so that
            `softmax(logits)` are the source-class probabilities in every case.
    """

    features: NDArray[np.float32]
    logits: NDArray[np.float32] | None = None


@runtime_checkable
class Encoder(Protocol):
    """A pretrained model, loaded at first use.

    A batch of 1 gives what a batch of n gives, to float32 rounding. Making an encoder reads no
    weights and imports no model library; `prepare` or `forward` does, and raises `EncoderError`
    with the reason when it cannot.
    """

    @property
    def name(self) -> str:
        """What the report calls the model: the URI as written, or the class of a module."""
        ...

    def digest(self) -> str | None:
        """Hex digest of all that changes the numbers: weights, layer, pooling, preprocessing.

        Cheap: reads the weight files' bytes, loads nothing. None if the numbers cannot be told
        from the outside (a plain callable); such features are never stored.
        """
        ...

    def cost(self, sample: Sample) -> int:
        """Relative size of one sample (a text's length); samples of like cost share a batch."""
        ...

    def prepare(self, samples: Sequence[Sample]) -> Batch:
        """The model's own input for these samples, on the host. May run in a second thread.

        Raises:
            SampleError: A sample cannot be read.
        """
        ...

    def forward(self, batch: Batch) -> Encoding:
        """Features (and logits, where the model has a classifier) of a prepared batch."""
        ...

    def release(self) -> None:
        """Drop the loaded model and give its memory back; the next `forward` loads it again."""
        ...
