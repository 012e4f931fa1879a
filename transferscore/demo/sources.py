"""What the demo's networks learn from: images that have nothing of the target in them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from transferscore.demo.strokes import draw_strokes
from transferscore.errors import UnknownNameError

__all__ = ["PIXELS", "Source", "source_named"]

PIXELS = 8
_SMALLEST_PATCH, _LARGEST_PATCH = 48, 240


@dataclass(frozen=True, slots=True)
class Source:
    """Images and classes to pretrain on.

    Attributes:
        images: `(n, 1, 8, 8)` float32 in [0, 1].
        labels: `(n,)` int64 from 0.
    """

    images: NDArray[np.float32]
    labels: NDArray[np.int64]

    @property
    def n_classes(self) -> int:
        """Number of classes."""
        return int(self.labels.max()) + 1


def source_named(name: str, n_images: int, seed: int) -> Source:
    """The source called `name`: "digits-0-4", "rotations" or "strokes".

    Args:
        name: Which source.
        n_images: How many images; fewer where the source has no more.
        seed: Seed of drawing, cropping and choosing.

    Raises:
        UnknownNameError: There is no source of that name.
    """
    if name not in _SOURCES:
        raise UnknownNameError(f"`name` must be one of {', '.join(_SOURCES)}; got {name!r}.")
    return _SOURCES[name](n_images, np.random.default_rng(seed))


def _low_digits(n_images: int, rng: np.random.Generator) -> Source:
    """Handwritten 0 to 4: the same pens as the target, other shapes."""
    from sklearn.datasets import load_digits

    digits = load_digits()
    rows = np.flatnonzero(digits.target < 5)
    rows = rng.permutation(rows)[:n_images]
    return Source(_as_images(digits.images[rows] / 16.0), digits.target[rows].astype(np.int64))


def _rotations(n_images: int, rng: np.random.Generator) -> Source:
    """Patches of two photographs, turned by 0, 90, 180 or 270 degrees; the turn is the class."""
    from sklearn.datasets import load_sample_image

    photographs = [load_sample_image(name) for name in ("china.jpg", "flower.jpg")]
    labels = rng.integers(0, 4, n_images)
    patches = [
        np.rot90(_patch(photographs[i % len(photographs)], rng), turns)
        for i, turns in enumerate(labels)
    ]
    return Source(_as_images(np.stack(patches)), labels)


def _patch(photograph: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.float64]:
    """A grey square of `photograph`, 8 x 8, stretched to full contrast."""
    from PIL import Image

    side = int(np.exp(rng.uniform(np.log(_SMALLEST_PATCH), np.log(_LARGEST_PATCH))))
    top = int(rng.integers(photograph.shape[0] - side))
    left = int(rng.integers(photograph.shape[1] - side))
    square = Image.fromarray(photograph[top : top + side, left : left + side]).convert("L")
    small = square.resize((PIXELS, PIXELS), Image.Resampling.BOX)
    grey: NDArray[np.float64] = np.asarray(small, dtype=np.float64)
    grey = grey - grey.min()
    # A patch of plain sky is one grey: dividing by its range would be dividing by zero.
    patch: NDArray[np.float64] = grey / max(float(grey.max()), 1.0)
    return patch


def _strokes(n_images: int, rng: np.random.Generator) -> Source:
    images, labels = draw_strokes(n_images, PIXELS, rng)
    return Source(_as_images(images), labels)


def _as_images(values: NDArray[np.float64]) -> NDArray[np.float32]:
    return np.ascontiguousarray(values[:, None], dtype=np.float32)


_SOURCES: dict[str, Callable[[int, np.random.Generator], Source]] = {
    "digits-0-4": _low_digits,
    "rotations": _rotations,
    "strokes": _strokes,
}
