"""Fixtures for datasets: small images made on the spot, and the real zoo where it is there."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from transferscore.datasets import PIXEL_CACHE

ZOO = Path(__file__).parents[3] / "../shared/zoo"


@pytest.fixture(autouse=True)
def _empty_pixel_cache() -> Iterator[None]:
    PIXEL_CACHE.clear()
    yield
    PIXEL_CACHE.clear()


@pytest.fixture
def zoo() -> Path:
    if not ZOO.is_dir():
        pytest.skip("the zoo of real datasets is not beside this checkout")
    return ZOO.resolve()


@pytest.fixture
def encoded() -> Callable[..., bytes]:
    """Makes the bytes of an image file with random pixels."""

    def make(format: str = "PNG", size: tuple[int, int] = (7, 5), seed: int = 0) -> bytes:
        from PIL import Image

        pixels = np.random.default_rng(seed).integers(0, 256, (*size, 3), dtype=np.uint8)
        buffer = io.BytesIO()
        Image.fromarray(pixels).save(buffer, format)
        return buffer.getvalue()

    return make


@pytest.fixture
def make_tree(tmp_path: Path, encoded: Callable[..., bytes]) -> Callable[..., Path]:
    """Makes a folder with these files; images get pixels, all else one line of text."""

    def make(*files: str) -> Path:
        root = tmp_path / "pets"
        for seed, file in enumerate(files):
            path = root / file
            if file.endswith("/"):
                path.mkdir(parents=True, exist_ok=True)
                continue
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(encoded(seed=seed) if path.suffix == ".png" else b"text\n")
        return root

    return make


@pytest.fixture
def make_zip(tmp_path: Path, encoded: Callable[..., bytes]) -> Callable[..., Path]:
    """Makes a zip with these members, images with pixels, and an index where one is given."""

    def make(*members: str, index: str | None = None, index_name: str = "index.csv") -> Path:
        path = tmp_path / "pets.zip"
        with zipfile.ZipFile(path, "w") as archive:
            for seed, member in enumerate(members):
                archive.writestr(member, b"" if member.endswith("/") else encoded(seed=seed))
            if index is not None:
                archive.writestr(index_name, index)
        return path

    return make
