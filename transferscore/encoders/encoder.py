"""Encoder: a pretrained model seen as samples -> features. Each library has an adapter to it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

__all__ = ["IMAGE_COST", "Batch", "Described", "Encoder", "Encoding", "Sample"]

Sample = Any  # a sample of a `Dataset`: an image, a text, a sound, a pair, words, a numpy row
IMAGE_COST = 256  # a picture of 224 pixels in patches of 14
Batch = Any  # what `prepare` makes and `forward` takes: each encoder's own affair


@dataclass(frozen=True, slots=True)
class Encoding:
    """What a model says of b samples.

    Attributes:
        features: `(b, d)` float32.
        logits: `(b, C)` float32 of the model's own classifier over its source classes, or None. A
            model that ends in a softmax gives the logarithm of its probabilities, so that
            `softmax(logits)` are the source-class probabilities in every case.
        layers: Features `(b, d_l)` of every layer, the embeddings first, where all were asked for;
            `features` are those of the last.
        word_mask: Of token sequences, which of their words, one after another, have a row: the
            rows are words then, and words cut off with the end of a long text have none.
        n_cut: How many texts were longer than the model reads, so that their ends were cut off.
    """

    features: NDArray[np.float32]
    logits: NDArray[np.float32] | None = None
    layers: tuple[NDArray[np.float32], ...] = ()
    word_mask: NDArray[np.bool_] | None = None
    n_cut: int = 0


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
        """About how many tokens one sample is to the model; samples of like cost share a batch.

        Cheap: imports nothing. An image counts as `IMAGE_COST`; what is of one size for all
        samples may count as 1.
        """
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


@runtime_checkable
class Described(Protocol):
    """An encoder that knows more of its model than a name."""

    def details(self) -> Mapping[str, str]:
        """What the report says of the model beside its name, such as the revision it came from.

        Asked after the model has run.
        """
        ...
