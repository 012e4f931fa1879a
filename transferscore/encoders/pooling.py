"""Whatever shape a model's features have, made `(b, d)`; probabilities made logits."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from transferscore.encoders.encoder import Encoding
from transferscore.errors import EncoderError

__all__ = ["in_fixed_batches", "log_probabilities", "pooled"]


def pooled(
    features: NDArray[Any],
    name: str,
    *,
    mask: NDArray[np.bool_] | None = None,
    channels_last: bool = False,
) -> NDArray[np.float32]:
    """One row of features a sample.

    Args:
        features: `(b, d)` as it is; `(b, t, d)` averaged over tokens; `(b, d, h, w)` over space.
        name: What the report calls the model.
        mask: `(b, t)`, true where a token is text and not padding.
        channels_last: Four dimensions are `(b, h, w, d)`.

    Returns:
        `(b, d)` float32.

    Raises:
        EncoderError: The features have another number of dimensions.
    """
    rows: NDArray[np.float32] = np.ascontiguousarray(features, dtype=np.float32)
    if features.ndim == 4:
        rows = _mean(rows, (1, 2) if channels_last else (2, 3))
    if features.ndim == 3:
        rows = _mean(rows, (1,)) if mask is None else _masked_mean(rows, mask)
    if rows.ndim != 2:
        raise EncoderError(
            f"The features of `{name}` must have shape (b, d), (b, t, d) or (b, d, h, w); "
            f"got {features.shape}. Name another tensor with `#name`."
        )
    return rows


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


def _mean(rows: NDArray[np.float32], axes: tuple[int, ...]) -> NDArray[np.float32]:
    return np.asarray(rows.mean(axes), dtype=np.float32)


def _masked_mean(rows: NDArray[np.float32], mask: NDArray[np.bool_]) -> NDArray[np.float32]:
    weights = (mask / mask.sum(1, keepdims=True)).astype(np.float32)
    return np.asarray(np.einsum("btd,bt->bd", rows, weights), dtype=np.float32)


def _filled_up(run: Callable[[NDArray[Any]], Encoding], part: NDArray[Any], size: int) -> Encoding:
    n = len(part)
    filling = np.repeat(part[-1:], size - n, axis=0)
    encoding = run(np.concatenate([part, filling]))
    logits = None if encoding.logits is None else encoding.logits[:n]
    return Encoding(encoding.features[:n], logits)
