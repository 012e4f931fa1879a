"""Samples of like length run together, so that little of a batch is padding."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from transferscore.encoders.encoder import Encoding
from transferscore.encoders.hf_inputs import HfBatch
from transferscore.encoders.joining import in_order, joined

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["by_equal_lengths", "in_token_budget", "parts_of_like_length", "token_budget"]

# Tokens in a forward pass, padding included: few on a CPU, whose cache a batch should not leave;
# many on a GPU, which waits while it is told what to do.
_CPU_TOKENS, _GPU_TOKENS = 2048, 32_768


def in_token_budget(encode: Callable[[HfBatch], Encoding], batch: HfBatch, device: str) -> Encoding:
    """Encode a batch in parts of like length, each of so many tokens as suit the device.

    Args:
        encode: Runs the model on a part.
        batch: b samples, padded to the longest.
        device: "cpu" or "cuda".
    """
    if batch.lengths is None:
        return encode(batch)
    budget = token_budget(device) * batch.length_of_token
    parts = parts_of_like_length(batch.lengths, budget, equal=batch.needs_equal_lengths)
    order = np.concatenate(parts)
    encoding = joined([encode(batch.rows(part)) for part in parts])
    return in_order(encoding, order, [batch.n_words[row] for row in order] if batch.n_words else ())


def by_equal_lengths(features: Callable[[HfBatch], Tensor], batch: HfBatch) -> Tensor:
    """Features in the batch's order, gradients and all; one pass a length where none is masked.

    Args:
        features: Runs the model on a part, `(rows, d)`.
        batch: b samples, padded to the longest.

    Returns:
        `(b, d)`.
    """
    if batch.lengths is None or not batch.needs_equal_lengths:
        return features(batch)
    import torch

    parts = parts_of_like_length(batch.lengths, int(batch.lengths.sum()) + 1, equal=True)
    back = torch.from_numpy(np.argsort(np.concatenate(parts)))
    made = torch.cat([features(batch.rows(part)) for part in parts])
    return made[back.to(made.device)]


def token_budget(device: str) -> int:
    """Tokens in a forward pass, padding included, that suit the device."""
    return _GPU_TOKENS if device.startswith("cuda") else _CPU_TOKENS


def parts_of_like_length(
    lengths: NDArray[np.int64], budget: int, *, equal: bool = False
) -> list[NDArray[np.int64]]:
    """Rows in parts whose number times longest length is within the budget, one row at the least.

    Args:
        lengths: `(b,)`.
        budget: In units of length.
        equal: Whether a part may hold one length only.
    """
    order = np.argsort(lengths, kind="stable")
    parts, start = [], 0
    for end in range(1, len(order)):
        length = lengths[order[end]]
        too_long = (end + 1 - start) * length > budget
        if too_long or (equal and length != lengths[order[start]]):
            parts.append(order[start:end])
            start = end
    return [*parts, order[start:]]
