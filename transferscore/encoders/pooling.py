"""Whatever shape a model's features have, made `(b, d)`; probabilities made logits."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from transferscore.encoders.encoder import Encoding
from transferscore.errors import EncoderError

__all__ = [
    "POOLINGS",
    "in_fixed_batches",
    "log_probabilities",
    "pooled",
    "require_one_of",
    "words_pooled",
]

POOLINGS = ("auto", "cls", "last", "max", "mean")


def require_one_of(pooling: str, known: tuple[str, ...] = POOLINGS) -> None:
    """Check that there is a pooling of that name.

    Raises:
        EncoderError: There is none; the message lists those that exist.
    """
    if pooling not in known:
        raise EncoderError(f"`pooling` must be one of {', '.join(known)}; got {pooling!r}.")


def pooled(
    features: NDArray[Any],
    name: str,
    *,
    mask: NDArray[np.bool_] | None = None,
    channels_last: bool = False,
    pooling: str = "auto",
) -> NDArray[np.float32]:
    """One row of features a sample.

    Args:
        features: `(b, d)` as it is; `(b, t, d)` pooled over tokens; `(b, d, h, w)` over space.
        name: What the report calls the model.
        mask: `(b, t)`, true where a token is text and not padding.
        channels_last: Four dimensions are `(b, h, w, d)`.
        pooling: One of `POOLINGS`; "auto" is the mean.

    Returns:
        `(b, d)` float32.

    Raises:
        EncoderError: The features have another number of dimensions.
    """
    rows: NDArray[np.float32] = np.ascontiguousarray(features, dtype=np.float32)
    if features.ndim == 4:
        rows = rows if channels_last else np.moveaxis(rows, 1, 3)
        rows = rows.reshape(len(rows), -1, rows.shape[3])
    if rows.ndim == 3:
        everything = np.ones(rows.shape[:2], dtype=np.bool_)
        rows = _pooled_tokens(rows, everything if mask is None else mask, pooling)
    if rows.ndim != 2:
        raise EncoderError(
            f"The features of `{name}` must have shape (b, d), (b, t, d) or (b, d, h, w); "
            f"got {features.shape}. Name another tensor with `#name`."
        )
    return rows


def words_pooled(
    states: NDArray[Any], words: NDArray[np.int64], pooling: str
) -> NDArray[np.float32]:
    """One row `(n_words, d)` for each word that has tokens, sample after sample.

    Args:
        states: `(b, t, d)` hidden states.
        words: `(b, t)`, which word a token is of, in order; -1 for none.
        pooling: One of `POOLINGS`; "auto" is the mean, "cls" the first token of a word.
    """
    is_word = words >= 0
    key = (np.arange(len(words))[:, None] * (words.max() + 1) + words)[is_word]
    tokens = np.ascontiguousarray(states[is_word], dtype=np.float32)
    starts = np.flatnonzero(np.r_[True, key[1:] != key[:-1]])
    ends = np.r_[starts[1:], len(key)]
    if pooling in ("cls", "last"):
        return np.asarray(tokens[starts if pooling == "cls" else ends - 1])
    if pooling == "max":
        return np.asarray(np.maximum.reduceat(tokens, starts))
    sums = np.add.reduceat(tokens, starts)
    return np.asarray(sums / (ends - starts)[:, None], dtype=np.float32)


def log_probabilities(probabilities: NDArray[Any]) -> NDArray[np.float32]:
    """Logits whose softmax gives `probabilities` `(b, C)` back.

    A probability that underflowed to zero counts as the smallest normal float32, because its
    logarithm would be infinite.
    """
    tiny = np.finfo(np.float32).tiny
    logits: NDArray[np.float32] = np.log(np.maximum(probabilities, tiny)).astype(np.float32)
    return logits


def in_fixed_batches(
    run: Callable[[NDArray[Any]], Encoding], batch: NDArray[Any], size: int | None
) -> Encoding:
    """Run a model that takes exactly `size` samples at a time on any number of them.

    The last part is filled up with copies of its last sample, whose rows are dropped again.

    Args:
        run: The model.
        batch: `(n, ...)` input.
        size: The one batch size that the model takes; None if it takes any.
    """
    if size is None or size == len(batch):
        return run(batch)
    parts = [
        _filled_up(run, batch[start : start + size], size) for start in range(0, len(batch), size)
    ]
    logits = [part.logits for part in parts if part.logits is not None]
    return Encoding(
        np.concatenate([part.features for part in parts]),
        np.concatenate(logits) if logits else None,
    )


def _pooled_tokens(
    rows: NDArray[np.float32], mask: NDArray[np.bool_], pooling: str
) -> NDArray[np.float32]:
    """`(b, d)` of `(b, t, d)`."""
    if pooling in ("cls", "last"):
        position = mask.argmax(1) if pooling == "cls" else _last_true(mask)
        return np.asarray(rows[np.arange(len(rows)), position])
    if pooling == "max":
        return np.asarray(np.where(mask[:, :, None], rows, -np.inf).max(1), dtype=np.float32)
    if mask.all():
        return np.asarray(rows.mean(1), dtype=np.float32)
    weights = (mask / mask.sum(1, keepdims=True)).astype(np.float32)
    return np.asarray(np.einsum("btd,bt->bd", rows, weights), dtype=np.float32)


def _last_true(mask: NDArray[np.bool_]) -> NDArray[np.intp]:
    return np.asarray(mask.shape[1] - 1 - mask[:, ::-1].argmax(1))


def _filled_up(run: Callable[[NDArray[Any]], Encoding], part: NDArray[Any], size: int) -> Encoding:
    n = len(part)
    filling = np.repeat(part[-1:], size - n, axis=0)
    encoding = run(np.concatenate([part, filling]))
    logits = None if encoding.logits is None else encoding.logits[:n]
    return Encoding(encoding.features[:n], logits)
