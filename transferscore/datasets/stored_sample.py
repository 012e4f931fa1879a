"""What images and sounds have in common: a name, and bytes that are read when asked for."""

from __future__ import annotations

import hashlib
import os
import zipfile
from pathlib import Path
from typing import ClassVar, Self

from transferscore.datasets.origins import Bytes, File, Member, Origin, stamp_of
from transferscore.errors import SampleError

__all__ = ["StoredSample", "unreadable"]


class StoredSample:
    """A sample that is read each time its content is asked for.

    Attributes:
        name: The sample as a person would name it: its path inside the folder or archive.
    """

    __slots__ = ("_digest", "_origin", "name")
    _KIND: ClassVar[str]

    def __init__(self, name: str, origin: Origin) -> None:
        self.name = name
        self._origin = origin
        self._digest: str | None = None

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.name!r})"

    @classmethod
    def from_file(
        cls, path: str | Path, name: str | None = None, stamp: tuple[int, int] | None = None
    ) -> Self:
        """The sample in the file `path`; `stamp` as of `file_stamp`, if it is known already."""
        origin = File(os.fspath(path), stamp or stamp_of(path))
        return cls(str(path) if name is None else name, origin)

    @classmethod
    def from_zip(cls, archive: str | Path, member: str, stamp: tuple[int, int]) -> Self:
        """The sample in the zip `archive` under the name `member`; `stamp` as of `file_stamp`."""
        return cls(member, Member(os.fspath(archive), stamp, member))

    @classmethod
    def from_bytes(cls, content: bytes, name: str = "bytes") -> Self:
        """The sample whose file has these bytes."""
        return cls(name, Bytes(content))

    def content(self) -> bytes:
        """Bytes of the file; of what is in memory, bytes that tell it from anything else.

        Raises:
            SampleError: The file cannot be read.
        """
        try:
            return self._origin.read()
        except SampleError:
            raise
        except (OSError, ValueError, RuntimeError, KeyError, zipfile.BadZipFile) as error:
            raise unreadable(self.name, self._KIND, error) from error

    def check(self) -> tuple[int, int] | None:
        """Length and checksum of `content()`, where they are known without reading it."""
        return self._origin.check()

    def digest(self) -> str:
        """Hex SHA-256 of `content()`, computed once."""
        if self._digest is None:
            self._digest = hashlib.sha256(self.content()).hexdigest()
        return self._digest


def unreadable(name: str, kind: str, error: Exception) -> SampleError:
    """The error that says why the sample called `name` cannot be read as an image or a sound."""
    said = getattr(error, "error_string", None) or getattr(error, "strerror", None) or str(error)
    reason = str(said).strip().rstrip(".") or type(error).__name__
    return SampleError(f"`{name}` cannot be read as {kind}: {reason}.")
