"""ImageSample: an image that is read when somebody looks at it, and decoded once for everybody."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from transferscore.datasets.decoding import decode_pixels, resize_pixels, rgb_image
from transferscore.datasets.pixel_cache import PIXEL_CACHE
from transferscore.datasets.stored_sample import StoredSample, unreadable
from transferscore.errors import DatasetError

if TYPE_CHECKING:
    from PIL.Image import Image

__all__ = ["ImageSample"]


class ImageSample(StoredSample):
    """One image of a dataset, read at first use.

    Samples can be pickled (but for arrays, only the place is) and used from several threads. The
    content of an array or PIL image is that of a PPM file.
    """

    __slots__ = ()
    _KIND = "an image"

    @classmethod
    def from_array(cls, pixels: NDArray[Any], name: str = "array") -> ImageSample:
        """The image with these RGB pixels, `(H, W, 3)` uint8, which must not be changed later."""
        if pixels.dtype != np.uint8 or pixels.ndim != 3 or pixels.shape[2] != 3 or not pixels.size:
            raise DatasetError(
                f"`{name}` must be an image as a uint8 array of shape (H, W, 3); "
                f"got {pixels.dtype} of shape {pixels.shape}."
            )
        return cls(name, _Array(_read_only(pixels)))

    @classmethod
    def from_image(cls, image: Image, name: str = "image") -> ImageSample:
        """A copy of a PIL image."""
        try:
            return cls(name, _Array(np.asarray(rgb_image(image))))
        except (OSError, ValueError) as error:
            raise unreadable(name, cls._KIND, error) from error

    def pixels(self, size: tuple[int, int] | None = None) -> NDArray[np.uint8]:
        """RGB pixels, from the process-wide cache when they have been asked for before.

        Args:
            size: (height, width) to resize to with PIL's bilinear filter; None for the original.

        Returns:
            `(H, W, 3)` uint8; read-only, because every caller gets the same array.

        Raises:
            SampleError: It cannot be read as an image; the message says why.
        """
        if size is None:
            return self._original()
        key = (self._origin, size)
        pixels = PIXEL_CACHE.get(key)
        if pixels is None:
            original = self._original()
            pixels = original if original.shape[:2] == size else resize_pixels(original, size)
            PIXEL_CACHE.put(key, pixels)
        return pixels

    def image(self) -> Image:
        """A PIL image in mode RGB, the caller's own.

        Raises:
            SampleError: It cannot be read as an image; the message says why.
        """
        from PIL import Image

        return Image.fromarray(self.pixels())

    def _original(self) -> NDArray[np.uint8]:
        if isinstance(self._origin, _Array):
            return self._origin.pixels
        pixels = PIXEL_CACHE.get(self._origin)
        if pixels is None:
            pixels = decode_pixels(self.content(), self.name)
            PIXEL_CACHE.put(self._origin, pixels, spare=True)
        return pixels


@dataclass(frozen=True, slots=True, eq=False)
class _Array:
    """Pixels in memory; equal only to itself, as comparing pixels would cost more than it saves."""

    pixels: NDArray[np.uint8]

    def read(self) -> bytes:
        height, width, _ = self.pixels.shape
        return b"P6 %d %d 255\n" % (width, height) + self.pixels.tobytes()

    def check(self) -> None:
        return None


def _read_only(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    view = pixels.view()
    view.flags.writeable = False
    return view
