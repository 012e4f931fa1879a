"""Where on disk a model lies, if it does: what travels with a model lies beside it."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol, runtime_checkable

from transferscore.encoders.renamed import unwrapped

__all__ = ["OnDisk", "OneFile", "model_path"]


@runtime_checkable
class OnDisk(Protocol):
    """A model that is a file or a folder."""

    @property
    def path(self) -> Path | None:
        """The file or folder; None for a name on a hub."""
        ...


class OneFile:
    """A model that is one file.

    Args:
        path: The file.
        name: What the report calls the model.
    """

    def __init__(self, path: str | Path, name: str) -> None:
        self._path = Path(path).expanduser()
        self._name = name

    @property
    def name(self) -> str:
        """What the report calls the model."""
        return self._name

    @property
    def path(self) -> Path:
        """The file."""
        return self._path


def model_path(encoder: object) -> Path | None:
    """The file or folder of a model, or None."""
    inner = unwrapped(encoder)
    return inner.path if isinstance(inner, OnDisk) else None
