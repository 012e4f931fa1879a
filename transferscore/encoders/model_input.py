"""The one input of a stored model: its shape decides what samples it takes and how."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from transferscore.encoders.samples import image_array, modality_of, require_modality
from transferscore.errors import EncoderError

__all__ = ["ModelInput", "input_batch"]

DEFAULT_IMAGE_SIZE = 224


@dataclass(frozen=True, slots=True)
class ModelInput:
    """What a stored model takes.

    Attributes:
        name: Name of the input.
        shape: Length of each axis, the batch first; None where any length will do.
        dtype: Type of the numbers.
        size: (height, width) of images that have none fixed by `shape`; None for 224 x 224.
    """

    name: str
    shape: tuple[int | None, ...]
    dtype: np.dtype[Any]
    size: tuple[int, int] | None = None

    @property
    def is_image(self) -> bool:
        """Four axes are images, whatever their layout."""
        return len(self.shape) == 4

    @property
    def is_text(self) -> bool:
        """Two axes of integers are token ids."""
        return len(self.shape) == 2 and self.dtype.kind in "iu"

    @property
    def is_wave(self) -> bool:
        """Two axes of floats are waves, as are three of which one is a single channel."""
        return self.dtype.kind == "f" and (len(self.shape) == 2 or 1 in self.shape[1:3])

    @property
    def wave_length(self) -> int | None:
        """How many values a wave has; None for any."""
        lengths = [axis for axis in self.shape[1:] if axis != 1]
        return lengths[0] if lengths else None

    def wave_batch(self, waves: NDArray[np.float32]) -> NDArray[Any]:
        """Waves `(m, n)` in the axes of the input."""
        batch = waves.astype(self.dtype, copy=False)
        if len(self.shape) == 2:
            return batch
        return np.expand_dims(batch, 1 if self.shape[1] == 1 else 2)

    @property
    def channels_last(self) -> bool:
        """Whether images are `(n, h, w, c)`."""
        return self.is_image and self.shape[1] not in (1, 3) and self.shape[3] in (1, 3)

    @property
    def channels(self) -> int:
        """1 for grey images, 3 for RGB."""
        return self.shape[3 if self.channels_last else 1] or 3

    @property
    def image_size(self) -> tuple[int, int]:
        """(height, width): fixed by the shape, else `size`, else 224 x 224."""
        height, width = self.shape[1:3] if self.channels_last else self.shape[2:4]
        wanted = self.size or (DEFAULT_IMAGE_SIZE, DEFAULT_IMAGE_SIZE)
        return height or wanted[0], width or wanted[1]


def input_batch(samples: Sequence[Any], spec: ModelInput, name: str) -> NDArray[Any]:
    """The samples as the input of the model called `name`.

    Images are resized and scaled to [0, 1] (uint8 inputs take them as they are). Array samples go
    in as they are, cast to the input's type, if their shape is the input's.

    Raises:
        EncoderError: The model takes another kind or shape of sample.
        SampleError: An image cannot be read.
    """
    if modality_of(samples[0]) == "array":
        return _array_batch(samples, spec, name)
    require_modality(samples, "image" if spec.is_image else "array", name)
    if spec.channels not in (1, 3):
        raise EncoderError(
            f"`{name}` takes images of {spec.channels} channels; images have 3 (RGB) or 1 (grey)."
        )
    return image_array(
        samples,
        spec.image_size,
        channels=spec.channels,
        channels_last=spec.channels_last,
        dtype=spec.dtype,
    )


def _array_batch(samples: Sequence[Any], spec: ModelInput, name: str) -> NDArray[Any]:
    require_modality(samples, "array", name)
    batch = np.stack(samples).astype(spec.dtype)
    wanted, got = spec.shape[1:], batch.shape[1:]
    fits = len(wanted) == len(got) and all(
        axis in (None, length) for axis, length in zip(wanted, got, strict=True)
    )
    if not fits:
        shown = ", ".join("any" if axis is None else str(axis) for axis in wanted)
        kind = "images" if spec.is_image else "arrays"
        raise EncoderError(
            f"`{name}` takes {kind} of shape ({shown}) a sample; got arrays of shape {got}."
        )
    return batch
