"""Items of a torch Dataset as samples and labels."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

import numpy as np

from transferscore.datasets.audio import AudioSample
from transferscore.datasets.images import ImageSample
from transferscore.errors import DatasetError

__all__ = ["is_torch_dataset", "torch_items"]

Library = Any  # an object of torch, which need not be imported
_WHITE = 255.0


def is_torch_dataset(source: object) -> bool:
    """Whether this is a torch Dataset, which nobody can have made without importing torch."""
    torch = sys.modules.get("torch")
    return torch is not None and isinstance(source, torch.utils.data.Dataset)


def torch_items(source: Library) -> tuple[list[Any], list[Any], tuple[str, ...]]:
    """The samples and labels of a map-style dataset, read one after another.

    Args:
        source: Its items are (sample, label) pairs, or mappings with a `label`. A float tensor
            `(3, H, W)` in [0, 1], or a uint8 one, is an image.

    Returns:
        Samples, labels, and the names of its classes (`.classes`, as torchvision has it), if any.

    Raises:
        DatasetError: It has no length, or its items are something else.
    """
    if not hasattr(source, "__len__") or not hasattr(source, "__getitem__"):
        raise DatasetError(
            f"A torch dataset must have a length and items by position; {type(source).__name__} is "
            "iterable only. Pass a list of what it gives."
        )
    pairs = [_pair(source[position], position) for position in range(len(source))]
    samples, labels = ([pair[k] for pair in pairs] for k in (0, 1))
    classes = getattr(source, "classes", ())
    names = tuple(map(str, classes)) if isinstance(classes, list | tuple) else ()
    return _stacked(samples), labels, names


def _pair(item: object, position: int) -> tuple[Any, Any]:
    if isinstance(item, Mapping):
        label = item.get("label", item.get("labels"))
        samples = [value for key, value in item.items() if key not in ("label", "labels")]
        if len(samples) == 1:
            return _sample(samples[0], position), _plain(label)
    elif isinstance(item, tuple | list) and len(item) == 2:
        return _sample(item[0], position), _plain(item[1])
    raise DatasetError(
        f"Each item of a torch dataset must be a pair (sample, label), or a mapping with one "
        f"sample and `label`; item {position} is {type(item).__name__}."
    )


def _plain(value: Any) -> Any:
    return value.tolist() if hasattr(value, "tolist") else value


def _sample(value: Any, position: int) -> Any:
    """A tensor as an array, and as an image where it looks like one."""
    if not hasattr(value, "detach"):
        return value
    array = value.detach().cpu().numpy()
    if array.ndim != 3 or array.shape[0] not in (1, 3):
        return array
    is_bytes = array.dtype == np.uint8
    if not is_bytes and (array.min() < 0.0 or array.max() > 1.0):
        return array  # normalised for some model already: no picture any more
    pixels = np.moveaxis(array if is_bytes else np.round(array * _WHITE).astype(np.uint8), 0, 2)
    rgb = np.ascontiguousarray(np.broadcast_to(pixels, (*pixels.shape[:2], 3)))
    return ImageSample.from_array(rgb, f"item {position}")


def _stacked(samples: list[Any]) -> Any:
    """Arrays of one shape as one array; all else as it is."""
    arrays = [sample for sample in samples if isinstance(sample, np.ndarray)]
    if not arrays or len(arrays) < len(samples):
        return [_wave(sample, row) for row, sample in enumerate(samples)]
    shapes = {array.shape for array in arrays}
    if len(shapes) > 1:
        raise DatasetError(
            f"The samples of a torch dataset must be of one shape; got {sorted(shapes)[:3]}."
        )
    return np.stack([np.atleast_1d(array) for array in arrays])


def _wave(sample: Any, row: int) -> Any:
    """A pair (wave, rate), as torchaudio's datasets begin with, as a sound."""
    if isinstance(sample, tuple) and len(sample) == 2 and isinstance(sample[1], int):
        wave = np.asarray(sample[0])
        return AudioSample.from_array(wave.T if wave.ndim == 2 else wave, sample[1], f"item {row}")
    return sample
