"""Where on disk a model lies, if it does: what travels with a model lies beside it."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol, runtime_checkable

from transferscore.encoders.renamed import unwrapped

__all__ = ["OnDisk", "model_path"]


@runtime_checkable
class OnDisk(Protocol):
    """A model that is a file or a folder."""

    @property
    def path(self) -> Path | None:
        """The file or folder; None for a name on a hub."""
        ...


def model_path(encoder: object) -> Path | None:
    """The file or folder of a model, or None."""
    inner = unwrapped(encoder)
    return inner.path if isinstance(inner, OnDisk) else None
