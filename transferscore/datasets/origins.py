"""Where a sample's bytes come from: a file, a member of an archive, or memory."""

from __future__ import annotations

import functools
import os
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

__all__ = ["Bytes", "File", "Member", "Origin", "Slice", "file_stamp", "stamp_of"]

_LARGEST_MEMBER = 2**29  # a zip member can claim to unpack into more than the machine holds


class Origin(Protocol):
    """Where a sample comes from. Hashable: it is the key of what was decoded from it."""

    def read(self) -> bytes:
        """Bytes of the file."""
        ...

    def check(self) -> tuple[int, int] | None:
        """Length and checksum of the content, where they are known without reading it."""
        ...

    def __hash__(self) -> int: ...


def file_stamp(path: str | Path | os.DirEntry[str]) -> tuple[int, int]:
    """Size in bytes and time of the last change in ns: tells a file from its next version."""
    status = path.stat() if isinstance(path, os.DirEntry) else Path(path).stat()
    return status.st_size, status.st_mtime_ns


def stamp_of(path: str | Path) -> tuple[int, int]:
    """`file_stamp`, or zeros for a file that is not there: reading it will say so."""
    return file_stamp(path) if Path(path).is_file() else (0, 0)


@dataclass(frozen=True, slots=True)
class File:
    """A file, with its `file_stamp`."""

    path: str
    stamp: tuple[int, int]

    def read(self) -> bytes:
        """Bytes of the file."""
        return Path(self.path).read_bytes()

    def check(self) -> None:
        """None: a folder keeps no checksums."""


@dataclass(frozen=True, slots=True)
class Member:
    """A member of a zip archive, with the archive's `file_stamp`."""

    archive: str
    stamp: tuple[int, int]
    member: str

    def read(self) -> bytes:
        """Bytes of the member, unpacked."""
        archive = _archive(self.archive, self.stamp, os.getpid())
        member = archive.getinfo(self.member)
        if member.file_size > _LARGEST_MEMBER:
            raise ValueError(
                f"it unpacks into {member.file_size} bytes; {_LARGEST_MEMBER} are allowed"
            )
        return archive.read(member)

    def check(self) -> tuple[int, int] | None:
        """What the archive says of the member; None if it is not there."""
        try:
            member = _archive(self.archive, self.stamp, os.getpid()).getinfo(self.member)
        except (KeyError, OSError, zipfile.BadZipFile):
            return None
        return member.file_size, member.CRC


@dataclass(frozen=True, slots=True)
class Slice:
    """A part of a file, such as a member of a tar that is not compressed.

    Attributes:
        path: The file.
        stamp: Its `file_stamp`.
        place: Where the part begins, and its length.
    """

    path: str
    stamp: tuple[int, int]
    place: tuple[int, int]

    def read(self) -> bytes:
        """Bytes of the part."""
        start, length = self.place
        with Path(self.path).open("rb") as file:
            file.seek(start)
            content = file.read(length)
        if len(content) < length:
            raise ValueError("the file that it is in has been cut off")
        return content

    def check(self) -> None:
        """None: a tar keeps no checksums of contents."""


@dataclass(frozen=True, slots=True)
class Bytes:
    """Bytes of a file that are in memory already."""

    content: bytes

    def read(self) -> bytes:
        """The bytes."""
        return self.content

    def check(self) -> tuple[int, int]:
        """Length and CRC-32."""
        return len(self.content), zlib.crc32(self.content)


@functools.lru_cache(maxsize=8)
def _archive(path: str, stamp: tuple[int, int], process: int) -> zipfile.ZipFile:  # noqa: ARG001
    """The archive, opened once; `ZipFile` itself guards reads by several threads with a lock.

    A forked child opens its own: with its parent it would share one position in the file.
    """
    return zipfile.ZipFile(path)
