"""Strokes of a pen: straight, bent and crossed lines, drawn on the spot."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["STROKE_NAMES", "draw_strokes"]

_POINTS = 32  # along a stroke: closer together than pixels are
_NOISE = 0.06


def draw_strokes(
    n_images: int, pixels: int, rng: np.random.Generator
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Draw strokes of random kinds, each shifted, turned, stretched and thickened at random.

    Args:
        n_images: How many.
        pixels: Height and width of the images.
        rng: Where the randomness comes from.

    Returns:
        Images `(n_images, pixels, pixels)` in [0, 1], ink being 1, and the kinds `(n_images,)` as
        positions in `STROKE_NAMES`.
    """
    kinds = rng.integers(0, len(_STROKES), n_images)
    points = _jittered(np.stack(list(_STROKES.values()))[kinds], rng)
    axis = np.linspace(-1.0, 1.0, pixels)
    grid = np.stack(np.meshgrid(axis, axis), axis=-1).reshape(1, -1, 1, 2)
    distance = np.linalg.norm(grid - points[:, None], axis=-1).min(axis=-1)
    thickness = rng.uniform(0.05, 0.25, (n_images, 1))
    ink = np.clip(1.0 - (distance - thickness) / (2.0 / pixels), 0.0, 1.0)
    ink = np.clip(ink + rng.normal(0.0, _NOISE, ink.shape), 0.0, 1.0)
    return ink.reshape(n_images, pixels, pixels), kinds


def _jittered(points: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.float64]:
    """`(n, p, 2)` points, each image's turned by up to 15 degrees, stretched and shifted."""
    n = len(points)
    angle = rng.uniform(-np.pi / 12, np.pi / 12, n)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    stretch = rng.uniform(0.55, 0.95, (n, 1, 2))
    shift = rng.uniform(-0.2, 0.2, (n, 1, 2))
    moved: NDArray[np.float64] = np.einsum("npj,ijn->npi", points * stretch, turn) + shift
    return moved


def _line(*corners: tuple[float, float]) -> NDArray[np.float64]:
    """`(_POINTS, 2)` points (x, y) along straight lines from corner to corner, y downwards."""
    path = np.array(corners)
    where = np.linspace(0, len(path) - 1, _POINTS)
    return np.stack([np.interp(where, range(len(path)), path[:, i]) for i in (0, 1)], axis=1)


def _arc(start: float, end: float) -> NDArray[np.float64]:
    """`(_POINTS, 2)` points along the unit circle, clockwise from `start` to `end` degrees."""
    angle = np.radians(np.linspace(start, end, _POINTS))
    return np.stack([np.cos(angle), np.sin(angle)], axis=1)


def _crossing(first: NDArray[np.float64], second: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.concatenate([first[::2], second[::2]])


_HORIZONTAL = _line((-1, 0), (1, 0))
_VERTICAL = _line((0, -1), (0, 1))
_RISING = _line((-1, 1), (1, -1))
_FALLING = _line((-1, -1), (1, 1))
_STROKES = {
    "horizontal": _HORIZONTAL,
    "vertical": _VERTICAL,
    "rising": _RISING,
    "falling": _FALLING,
    "cup": _arc(0, 180),
    "cap": _arc(180, 360),
    "left bow": _arc(90, 270),
    "right bow": _arc(-90, 90),
    "upright cross": _crossing(_HORIZONTAL, _VERTICAL),
    "slanted cross": _crossing(_RISING, _FALLING),
    "corner": _line((-1, -1), (-1, 1), (1, 1)),
    "hook": _line((-1, -1), (1, -1), (1, 1)),
}
STROKE_NAMES = tuple(_STROKES)
