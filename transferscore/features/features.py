"""Features: what one encoder says of a dataset's samples, with their provenance."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Features"]


@dataclass(frozen=True, slots=True)
class Features:
    """Features of the readable samples of a dataset.

    Attributes:
        model: Name of the encoder.
        values: `(m, d)` float32, one row per readable sample, in the dataset's order.
        logits: `(m, C)` float32 of the model's own classifier, or None.
        kept: `(n,)` bool, which of the dataset's samples the rows are; where the rows are words,
            which of the words of all samples, one after another.
        unreadable: Position in the dataset to reason, for the other samples.
        n_stored: How many samples came from the store.
        forward_seconds: Time spent in the model itself.
        layers: `(m, d_l)` of every layer, the embeddings first and `values` last, where all layers
            were asked for.
        n_cut: How many texts were longer than the model reads, so that their ends were cut off.
    """

    model: str
    values: NDArray[np.float32]
    logits: NDArray[np.float32] | None
    kept: NDArray[np.bool_]
    unreadable: Mapping[int, str]
    n_stored: int = 0
    forward_seconds: float = 0.0
    layers: tuple[NDArray[np.float32], ...] = ()
    n_cut: int = 0
