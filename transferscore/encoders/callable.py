"""CallableEncoder: any function from samples to features."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from transferscore.encoders.encoder import IMAGE_COST, Batch, Encoding, Sample
from transferscore.encoders.loading import explained
from transferscore.encoders.samples import modality_of, require_modality, text_cost
from transferscore.errors import EncoderError

__all__ = ["CallableEncoder"]


class CallableEncoder:
    """A function from b samples to features `(b, d)`, or to a pair (features, logits `(b, C)`).

    The function gets a list of PIL images, a list of `str`, or one array of stacked rows. Its
    results are never stored: two functions cannot be told apart from the outside.

    Args:
        function: The function. It should give a sample the same features in every batch.
        name: What the report calls the model; the function's own name otherwise.
    """

    def __init__(self, function: Callable[[Any], Any], *, name: str | None = None) -> None:
        self._function = function
        self._name = name or str(getattr(function, "__name__", type(function).__name__))

    @property
    def name(self) -> str:
        """What the report calls the model."""
        return self._name

    def digest(self) -> None:
        """None: what a function computes cannot be told from the outside."""

    def cost(self, sample: Sample) -> int:
        """About how many tokens a text is; a constant for anything else."""
        return text_cost(sample) or IMAGE_COST

    def prepare(self, samples: Sequence[Sample]) -> Batch:
        """What the function gets."""
        modality = modality_of(samples[0])
        require_modality(samples, modality, self._name)
        if modality == "image":
            return [sample.image() for sample in samples]
        return np.stack(samples) if modality == "array" else list(samples)

    def forward(self, batch: Batch) -> Encoding:
        """What the function returns, checked."""
        with explained(self._name, "run"):
            output = self._function(batch)
        features, logits = (
            output if isinstance(output, tuple) and len(output) == 2 else (output, None)
        )
        return Encoding(
            self._checked(features, "features (b, d)", len(batch)),
            None if logits is None else self._checked(logits, "logits (b, C)", len(batch)),
        )

    def release(self) -> None:
        """Nothing to give back."""

    def _checked(self, values: object, what: str, n_samples: int) -> NDArray[np.float32]:
        if hasattr(values, "detach"):  # a torch tensor, perhaps on a GPU
            values = values.detach().cpu()
        with explained(self._name, "read: it must return an array"):
            array = np.asarray(values, dtype=np.float32)
        if array.ndim != 2 or len(array) != n_samples:
            raise EncoderError(
                f"`{self._name}` must return {what} with one row for each of its {n_samples} "
                f"samples; got shape {array.shape}."
            )
        return array
