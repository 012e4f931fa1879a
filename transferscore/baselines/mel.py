"""Mel statistics: how loud a sound is in bands that the ear tells apart, and how that changes."""

from __future__ import annotations

import functools
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from transferscore.datasets import AudioSample

__all__ = ["log_mel", "mel_statistics"]

_RATE, _WINDOW, _HOP, _BANDS = 16_000, 400, 160, 64
_LOWEST, _HIGHEST = 20.0, 8_000.0
_QUIETEST = 1e-6  # of power: silence has no logarithm


def mel_statistics(samples: Sequence[AudioSample]) -> NDArray[np.float32]:
    """Mean, standard deviation and mean absolute change of log mel bands `(b, 192)`.

    Raises:
        SampleError: One cannot be read.
    """
    return np.stack([_statistics(log_mel(sample.read(_RATE))) for sample in samples])


def log_mel(wave: NDArray[np.float32]) -> NDArray[np.float32]:
    """Log power in 64 mel bands `(n_frames, 64)`, frames of 25 ms every 10 ms, at 16 kHz."""
    padded = np.pad(wave, (0, max(0, _WINDOW - len(wave))))
    frames = np.lib.stride_tricks.sliding_window_view(padded, _WINDOW)[::_HOP]
    power = np.abs(np.fft.rfft(frames * np.hanning(_WINDOW), axis=1)) ** 2 / _WINDOW
    return np.log(np.maximum(power @ _filters(), _QUIETEST)).astype(np.float32)


def _statistics(bands: NDArray[np.float32]) -> NDArray[np.float32]:
    change = np.abs(np.diff(bands, axis=0)).mean(axis=0) if len(bands) > 1 else 0 * bands[0]
    return np.concatenate([bands.mean(axis=0), bands.std(axis=0), change])


@functools.cache
def _filters() -> NDArray[np.float64]:
    """Triangles `(201, 64)` evenly spaced on the mel scale of O'Shaughnessy."""
    mels = np.linspace(_mel(_LOWEST), _mel(_HIGHEST), _BANDS + 2)
    edges = 700.0 * (10.0 ** (mels / 2595.0) - 1.0)
    hertz = np.fft.rfftfreq(_WINDOW, 1.0 / _RATE)[:, None]
    rising = (hertz - edges[:-2]) / (edges[1:-1] - edges[:-2])
    falling = (edges[2:] - hertz) / (edges[2:] - edges[1:-1])
    filters: NDArray[np.float64] = np.maximum(0.0, np.minimum(rising, falling))
    return filters


def _mel(hertz: float) -> float:
    return float(2595.0 * np.log10(1.0 + hertz / 700.0))
