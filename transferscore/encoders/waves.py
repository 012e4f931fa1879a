"""Sounds as waves for a stored model: at its rate, in its windows, and never padded with others."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from transferscore.encoders.encoder import Encoding
from transferscore.encoders.joining import in_order, joined
from transferscore.encoders.samples import Sound

__all__ = ["SHORTEST_SECONDS", "Waves", "encode_waves", "read_waves"]

SHORTEST_SECONDS = 0.1
_LARGEST_BATCH = 32

Run = Callable[[NDArray[np.float32], NDArray[np.float64]], Encoding]


@dataclass(frozen=True, slots=True)
class Waves:
    """Sounds that were read.

    Attributes:
        waves: b arrays `(n,)` in [-1, 1], all at the model's rate.
    """

    waves: tuple[NDArray[np.float32], ...]

    def __len__(self) -> int:
        return len(self.waves)


def read_waves(samples: Sequence[Sound], rate: int) -> Waves:
    """The sounds at `rate` hertz; one below a tenth of a second is filled up with silence to that.

    Raises:
        SampleError: A sound cannot be read.
    """
    least = round(SHORTEST_SECONDS * rate)
    waves = [sample.read(rate) for sample in samples]
    return Waves(tuple(np.pad(wave, (0, max(0, least - len(wave)))) for wave in waves))


def encode_waves(
    waves: Waves, run: Run, window: int | None = None, batch: int | None = None
) -> Encoding:
    """Features of sounds, for a model that knows no mask.

    Padding would change its numbers, so only sounds of equal length run together. A model that
    takes one length only gets a sound in windows of it, the last filled up with silence, and the
    sound's features are the mean over the windows, each weighted by how much of it is sound.

    Args:
        waves: b sounds.
        run: The model: from `(m, n)` waves, and how much of each is sound `(m,)`, in (0, 1].
        window: The one length it takes; None for any.
        batch: The one number of waves that it takes at a time; None for any.
    """
    if window is not None:
        return _in_windows(waves.waves, run, window, batch)
    lengths = np.array([len(wave) for wave in waves.waves])
    parts = [rows for length in np.unique(lengths) for rows in [np.flatnonzero(lengths == length)]]
    encodings = [
        _in_batches(np.stack([waves.waves[row] for row in rows]), np.ones(len(rows)), run, batch)
        for rows in parts
    ]
    return in_order(joined(encodings), np.concatenate(parts))


def _in_batches(
    waves: NDArray[np.float32], shares: NDArray[np.float64], run: Run, batch: int | None
) -> Encoding:
    """Waves of one length, some at a time; a fixed batch is filled up with copies of its last."""
    size, n = batch or _LARGEST_BATCH, len(waves)
    n_filled = -n % size if batch else 0
    waves = np.concatenate([waves, np.repeat(waves[-1:], n_filled, axis=0)])
    shares = np.concatenate([shares, np.ones(n_filled)])
    parts = [slice(start, start + size) for start in range(0, len(waves), size)]
    encoding = joined([run(waves[part], shares[part]) for part in parts])
    logits = None if encoding.logits is None else encoding.logits[:n]
    return Encoding(encoding.features[:n], logits)


def _in_windows(
    waves: Sequence[NDArray[np.float32]], run: Run, window: int, batch: int | None
) -> Encoding:
    counts = [-(-len(wave) // window) for wave in waves]
    cut = [
        np.pad(wave, (0, count * window - len(wave))).reshape(count, window)
        for wave, count in zip(waves, counts, strict=True)
    ]
    shares = np.concatenate([_sound_shares(len(wave), window) for wave in waves])
    encoding = _in_batches(np.concatenate(cut), shares, run, batch)
    logits = encoding.logits
    return Encoding(
        _means(encoding.features, shares, counts),
        None if logits is None else _means(logits, shares, counts),
    )


def _sound_shares(length: int, window: int) -> NDArray[np.float64]:
    """How much of each window of a sound is sound."""
    starts = np.arange(0, length, window)
    return np.minimum(length - starts, window) / window


def _means(
    values: NDArray[Any], weights: NDArray[np.float64], counts: Sequence[int]
) -> NDArray[np.float32]:
    starts = np.cumsum([0, *counts[:-1]])
    total = np.add.reduceat(values * weights[:, None], starts)
    return (total / np.add.reduceat(weights, starts)[:, None]).astype(np.float32)
