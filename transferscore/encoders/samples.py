"""Samples of a dataset made into arrays that a model takes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal, Protocol, runtime_checkable

import numpy as np
from numpy.typing import DTypeLike, NDArray

from transferscore.datasets import TableRow
from transferscore.encoders.encoder import Sample
from transferscore.errors import EncoderError

if TYPE_CHECKING:
    from PIL.Image import Image

__all__ = [
    "NOUNS",
    "TEXT_KINDS",
    "Modality",
    "Pair",
    "Picture",
    "Sound",
    "Words",
    "image_array",
    "modality_of",
    "require_modality",
    "text_cost",
]

Modality = Literal["image", "text", "text_pair", "tokens", "audio", "table", "array"]

NOUNS: dict[str, str] = {
    "image": "images",
    "text": "text",
    "text_pair": "text pairs",
    "tokens": "token sequences",
    "audio": "sounds",
    "table": "rows of a table",
    "array": "arrays",
}
TEXT_KINDS: frozenset[str] = frozenset({"text", "text_pair", "tokens"})
_CHARACTERS_A_TOKEN = 4
_GREY = np.array([0.299, 0.587, 0.114], dtype=np.float32)  # ITU-R 601, as Pillow's "L"


@runtime_checkable
class Picture(Protocol):
    """What an encoder needs of an image sample (`transferscore.datasets.images.ImageSample`)."""

    @property
    def name(self) -> str:
        """What a message calls the image."""
        ...

    def pixels(self, size: tuple[int, int] | None) -> NDArray[np.uint8]:
        """`(height, width, 3)` RGB, resized to `size` unless it is None."""
        ...

    def image(self) -> Image:
        """The image as PIL RGB."""
        ...


@runtime_checkable
class Sound(Protocol):
    """What an encoder needs of an audio sample (`transferscore.datasets.AudioSample`)."""

    @property
    def name(self) -> str:
        """What a message calls the sound."""
        ...

    def read(self, rate: int) -> NDArray[np.float32]:
        """`(n_samples,)` mono in [-1, 1] at `rate` hertz."""
        ...


@runtime_checkable
class Pair(Protocol):
    """What an encoder needs of two texts that belong together (`datasets.TextPair`)."""

    @property
    def first(self) -> str:
        """The one text."""
        ...

    @property
    def second(self) -> str:
        """The other."""
        ...


@runtime_checkable
class Words(Protocol):
    """What an encoder needs of a text whose words have labels (`datasets.TokenSequence`)."""

    @property
    def words(self) -> Sequence[str]:
        """The words in their order."""
        ...


def modality_of(sample: Sample) -> Modality:
    """What kind of sample this is.

    Raises:
        EncoderError: It is none that a dataset holds.
    """
    if isinstance(sample, str):
        return "text"
    if isinstance(sample, np.ndarray | np.generic):
        return "array"
    protocols: dict[Modality, type] = {
        "image": Picture,
        "audio": Sound,
        "text_pair": Pair,
        "tokens": Words,
        "table": TableRow,
    }
    for modality, protocol in protocols.items():
        if isinstance(sample, protocol):
            return modality
    raise EncoderError(
        f"A sample must be an image, a sound, a text, a pair or a token sequence of a dataset, or "
        f"a numpy array; got {type(sample).__name__}. Read the data with `read_dataset` or "
        f"`dataset_from_arrays`."
    )


def text_cost(sample: Sample) -> int:
    """About how many tokens a text, a pair or a sequence of words is; 0 for other samples."""
    if isinstance(sample, str):
        return 1 + len(sample) // _CHARACTERS_A_TOKEN
    if isinstance(sample, Pair):
        return text_cost(sample.first) + text_cost(sample.second)
    if isinstance(sample, Words):
        return sum(text_cost(word) for word in sample.words)
    return 0


def require_modality(samples: Sequence[Any], wanted: Modality, name: str) -> None:
    """Check that all samples are of the kind that the model called `name` takes.

    Raises:
        EncoderError: They are not.
    """
    for sample in samples:
        if (got := modality_of(sample)) != wanted:
            raise EncoderError(f"`{name}` takes {NOUNS[wanted]}; got {NOUNS[got]}.")


def image_array(
    samples: Sequence[Picture],
    size: tuple[int, int] | None,
    *,
    channels: int = 3,
    channels_last: bool = False,
    dtype: DTypeLike = np.float32,
) -> NDArray[Any]:
    """The images as one array: floats in [0, 1], or uint8 as they are.

    Args:
        samples: n images.
        size: (height, width) to resize to; None keeps the size, which must be one for all.
        channels: 3 for RGB, 1 for grey.
        channels_last: `(n, h, w, channels)` instead of `(n, channels, h, w)`.
        dtype: Of the result.

    Raises:
        EncoderError: `size` is None and the images differ in size.
        SampleError: An image cannot be read.
    """
    pictures = [sample.pixels(size) for sample in samples]
    height, width = _common_size(samples, pictures)
    batch = np.empty((len(samples), channels, height, width), dtype=dtype)
    is_float = batch.dtype.kind == "f"
    for row, picture in zip(batch, pictures, strict=True):
        planes = picture if channels == 3 else (picture @ _GREY)[:, :, None]
        row[...] = planes.transpose(2, 0, 1)
        if is_float:
            row *= np.float32(1 / 255)  # while the image is still in the cache
    return np.ascontiguousarray(batch.transpose(0, 2, 3, 1)) if channels_last else batch


def _common_size(
    samples: Sequence[Picture], pictures: Sequence[NDArray[np.uint8]]
) -> tuple[int, int]:
    height, width = pictures[0].shape[:2]
    for sample, picture in zip(samples, pictures, strict=True):
        if picture.shape[:2] != (height, width):
            raise EncoderError(
                f"Images must be of one size for a model without a size of its own; "
                f"`{samples[0].name}` is {height}x{width} and `{sample.name}` is "
                f"{picture.shape[0]}x{picture.shape[1]} pixels. Pass a `transform` that resizes."
            )
    return height, width
