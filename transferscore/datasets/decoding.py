"""Bytes of an image file to RGB pixels, in one way for every model.

- The first frame of an animation is the image.
- The EXIF orientation is *not* applied: neither the zoo's models nor transformers' processors do.
- Transparent images are laid on white, as a viewer shows them. Opaque pixels keep their values.
- 16-bit grey becomes the high byte. 32-bit and float pixels have no known range: refused.
- Only the formats listed here are opened, by their own signature, never by PIL's search through
  every plugin: that search also warns of large images, and a warning filter that is safe in
  threads does not exist before Python 3.14.
"""

from __future__ import annotations

import importlib
import io
import re
import warnings
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from transferscore.datasets.stored_sample import unreadable

if TYPE_CHECKING:
    from PIL.Image import Image
    from PIL.ImageFile import ImageFile

__all__ = ["IMAGE_SUFFIXES", "decode_pixels", "resize_pixels", "rgb_image"]

IMAGE_SUFFIXES = (".bmp", ".gif", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp")

_READERS = (
    (re.compile(rb"\xff\xd8\xff"), "Jpeg"),
    (re.compile(rb"\x89PNG\r\n\x1a\n"), "Png"),
    (re.compile(rb"GIF8[79]a"), "Gif"),
    (re.compile(rb"BM"), "Bmp"),
    (re.compile(rb"II[*+]\0|MM\0[*+]"), "Tiff"),
    (re.compile(rb"RIFF....WEBP", re.DOTALL), "WebP"),
    (re.compile(rb"P[56]\s"), "Ppm"),
)
_PLUGIN_MODULES = r"PIL\.\w+Plugin\Z"
_METADATA_WARNINGS = ("ignore", None, UserWarning, re.compile(_PLUGIN_MODULES), 0)


def decode_pixels(content: bytes, name: str) -> NDArray[np.uint8]:
    """RGB pixels `(H, W, 3)` of an image file's bytes; read-only.

    Raises:
        SampleError: It is no image, is broken, or has more pixels than PIL allows.
    """
    try:
        with _opened(content) as image:
            _refuse_bomb(image)
            return np.asarray(rgb_image(image))
    except MemoryError:
        raise
    except Exception as error:  # a damaged file makes PIL's plugins raise almost anything
        raise unreadable(name, "an image", error) from error


def resize_pixels(pixels: NDArray[np.uint8], size: tuple[int, int]) -> NDArray[np.uint8]:
    """`pixels` `(H, W, 3)` resized to `size` (height, width): PIL's bilinear filter; read-only."""
    from PIL import Image

    height, width = size
    resized = Image.fromarray(pixels).resize((width, height), Image.Resampling.BILINEAR)
    return np.asarray(resized)


def rgb_image(image: Image) -> Image:
    """`image` in mode RGB, as this module's first lines say."""
    if image.mode.startswith("I"):
        image = _high_byte(image)
    elif image.mode == "F":
        raise ValueError("its pixels are floats, whose range is not known; save it with 8 bits")
    if image.has_transparency_data:
        return _on_white(image.convert("RGBA"))
    return image.convert("RGB")


def _opened(content: bytes) -> ImageFile:
    """The image, opened by the plugin whose signature it bears; nothing is decoded yet."""
    _quieten_metadata()
    for signature, plugin in _READERS:
        if signature.match(content):
            module = importlib.import_module(f"PIL.{plugin}ImagePlugin")
            opened: ImageFile = getattr(module, f"{plugin}ImageFile")(io.BytesIO(content), "")
            return opened
    raise ValueError("cannot identify image file" if content else "the file is empty")


def _quieten_metadata() -> None:
    """Keep the plugins' warnings of damaged EXIF and TIFF tags, which change no pixel, to them.

    A lasting filter on PIL's plugin modules alone: `warnings.catch_warnings` swaps the filters of
    the whole process, and leaves those of another thread behind when the two overlap.
    """
    if _METADATA_WARNINGS not in warnings.filters:
        warnings.filterwarnings("ignore", category=UserWarning, module=_PLUGIN_MODULES)


def _refuse_bomb(image: Image) -> None:
    from PIL.Image import MAX_IMAGE_PIXELS

    n_pixels = image.width * image.height
    if MAX_IMAGE_PIXELS is not None and n_pixels > MAX_IMAGE_PIXELS:
        raise ValueError(
            f"it has {n_pixels} pixels, more than the {MAX_IMAGE_PIXELS} that "
            "PIL.Image.MAX_IMAGE_PIXELS allows"
        )


def _high_byte(image: Image) -> Image:
    """Integer grey in 16 bits, or in 32 with values of 16, as 8-bit grey."""
    import PIL.Image

    values = np.asarray(image)
    if values.size and (values.min() < 0 or values.max() > 0xFFFF):
        raise ValueError("its pixels have 32 bits, whose range is not known; save it with 8 bits")
    return PIL.Image.fromarray((values >> 8).astype(np.uint8))


def _on_white(image: Image) -> Image:
    import PIL.Image

    canvas = PIL.Image.new("RGBA", image.size, "white")
    canvas.alpha_composite(image)
    return canvas.convert("RGB")
