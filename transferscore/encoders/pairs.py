"""Features of a pair of texts, for models that read one text at a time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from transferscore.encoders.encoder import Encoding
from transferscore.encoders.samples import Pair

__all__ = ["encode_pairs", "texts_of_pairs"]


def texts_of_pairs(pairs: Sequence[Pair]) -> list[str]:
    """All first texts, then all second ones."""
    return [*(pair.first for pair in pairs), *(pair.second for pair in pairs)]


def encode_pairs(encode: Callable[[Any], Encoding], batch: Any) -> Encoding:
    """Features `(b, 2 d)` of b pairs: |u - v| and u * v of the features u and v of the two texts.

    A linear classifier sees from them how alike the texts are: the sum over u * v of normalised
    features is their cosine. There are no logits: the source classes are of one text.

    Args:
        encode: The model.
        batch: Its input for the texts of `texts_of_pairs`.
    """
    features = encode(batch).features
    first, second = np.split(features, 2)
    return Encoding(np.hstack([np.abs(first - second), first * second]))
