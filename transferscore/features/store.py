"""A content-addressed store of arrays on disk: written whole or not at all, bounded in size."""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from transferscore.errors import StoreError
from transferscore.files import write_whole

__all__ = ["Entry", "Store", "default_store_path", "open_store"]

_log = logging.getLogger(__name__)
_DEFAULT_BYTES = 20 * 2**30


@dataclass(frozen=True, slots=True)
class Entry:
    """Named arrays and a JSON-able description of them."""

    arrays: Mapping[str, NDArray[Any]]
    about: Mapping[str, Any]


class Store:
    """Entries by key, each one safetensors file with the description in its header.

    Any number of processes may use one store: a file appears by an atomic rename, so a reader sees
    a whole entry or none, and only trimming takes the lock. A damaged file counts as absent.
    """

    def __init__(self, path: str | Path, max_bytes: int = _DEFAULT_BYTES) -> None:
        """Use the folder `path`, made if it is not there, trimmed to `max_bytes`.

        Raises:
            StoreError: The folder cannot be made or written to.
        """
        self.path = Path(path)
        self.max_bytes = max_bytes
        try:
            self.path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StoreError(
                f"The feature store {str(self.path)!r} cannot be made: {error.strerror}. "
                "Set TRANSFERSCORE_CACHE to a folder that can be written, or pass cache=False."
            ) from error

    def get(self, key: str) -> Entry | None:
        """The entry of `key`, or None. Marks it as used."""
        from safetensors import SafetensorError, safe_open

        file = self._file(key)
        try:
            with safe_open(file, framework="numpy") as content:
                arrays = {name: content.get_tensor(name) for name in content.keys()}  # noqa: SIM118
                about = json.loads((content.metadata() or {})["about"])
            os.utime(file)
        except FileNotFoundError:
            return None
        except (SafetensorError, KeyError, ValueError, OSError) as error:
            _log.warning("The store entry %s is damaged and will be made anew: %s", file, error)
            return None
        return Entry(arrays, about)

    def put(self, key: str, entry: Entry) -> None:
        """Keep `entry` under `key`, whole or not at all.

        Raises:
            StoreError: The disk is full or the folder cannot be written to.
        """
        from safetensors.numpy import save

        arrays = {name: np.ascontiguousarray(array) for name, array in entry.arrays.items()}
        content = save(arrays, metadata={"about": json.dumps(entry.about)})
        file = self._file(key)
        try:
            file.parent.mkdir(exist_ok=True)
            write_whole(file, content)
        except OSError as error:
            raise StoreError(
                f"The feature store {str(self.path)!r} cannot be written: {error.strerror}. "
                "Free some space, set TRANSFERSCORE_CACHE to another folder, or pass cache=False."
            ) from error

    def trim(self) -> None:
        """Delete the entries used least recently until the store is within its size."""
        from filelock import FileLock, Timeout

        try:
            with FileLock(self.path / ".lock", timeout=1.0):
                self._trim_locked()
        except (Timeout, OSError):
            # Another process is trimming, or may not delete: the next run will.
            return

    def _trim_locked(self) -> None:
        files = [(f.stat(), f) for f in self.path.glob("*/*.safetensors")]
        total = sum(stat.st_size for stat, _ in files)
        for stat, file in sorted(files, key=lambda pair: pair[0].st_mtime):
            if total <= self.max_bytes:
                return
            file.unlink(missing_ok=True)
            total -= stat.st_size

    def _file(self, key: str) -> Path:
        return self.path / key[:2] / f"{key}.safetensors"


def open_store(cache: bool | str | Path) -> Store | None:
    """The store that a `cache=` argument means: none, the user's own, or the one in that folder.

    Raises:
        StoreError: The folder cannot be made or written to.
    """
    if cache is False:
        return None
    return Store(default_store_path() if cache is True else cache)


def default_store_path() -> Path:
    """`$TRANSFERSCORE_CACHE`, or `transferscore` under `$XDG_CACHE_HOME` or `~/.cache`."""
    if own := os.environ.get("TRANSFERSCORE_CACHE"):
        return Path(own)
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "transferscore"
