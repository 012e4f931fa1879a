"""Raw pixels: an image as a few coloured squares."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from transferscore.datasets import ImageSample

__all__ = ["raw_pixels"]

_SIDE = 16


def raw_pixels(samples: Sequence[ImageSample]) -> NDArray[np.float32]:
    """Pixels `(b, 768)` in [0, 1] of images reduced to 16 × 16.

    Raises:
        SampleError: One cannot be read.
    """
    pixels = np.stack([sample.pixels((_SIDE, _SIDE)) for sample in samples])
    return pixels.reshape(len(samples), -1).astype(np.float32) / np.float32(255.0)
