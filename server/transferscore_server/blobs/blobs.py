"""The blobs' interface: bytes by their digest, and uploads that are to become some."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Protocol

__all__ = ["Blob", "Blobs"]


@dataclass(frozen=True, slots=True)
class Blob:
    """Bytes that are kept.

    Attributes:
        digest: "sha256:<hex>".
        size_bytes: How many.
    """

    digest: str
    size_bytes: int


class Blobs(Protocol):
    """Content-addressed bytes on disk: written whole or not at all, each content once.

    Every method may wait for the disk: from the event loop, `await asyncio.to_thread(...)`. Calls
    for one upload must follow one another; those for different ones may run at once.
    """

    def append(self, upload: str, offset: int, data: bytes, crc32: int | None = None) -> int:
        """Add a chunk to an upload; returns its committed size.

        A chunk of which the first part is committed already (a repeated call) adds the rest.

        Args:
            upload: Any name; a new one starts an upload.
            offset: Where the chunk belongs, in bytes.
            data: The chunk.
            crc32: `zlib.crc32(data)` as the sender has it; None to leave it out.

        Raises:
            OffsetError: It would leave a gap.
            ChunkCorruptError: The checksum differs.
            TooLargeError: The upload would be larger than one blob may be.
            QuotaError: All blobs together would be larger than they may be.
            StoreFullError: The disk is full; what was committed stays.
        """
        ...

    def committed(self, upload: str) -> int:
        """Bytes of an upload that are kept; 0 for one that nobody has started."""
        ...

    def read(self, upload: str) -> BinaryIO:
        """The committed bytes of an upload, to be read and closed; none for a new one."""
        ...

    def finish(self, upload: str, expected_digest: str = "") -> Blob:
        """Make an upload a blob. The upload is gone then; a content that was there is kept once.

        Raises:
            DigestError: It is not what was announced; the upload is dropped.
            StoreFullError: The disk is full; what was committed stays.
        """
        ...

    def discard(self, upload: str) -> None:
        """Drop an upload and its bytes."""
        ...

    def add_file(self, path: Path) -> Blob:
        """Keep a copy of a file.

        Raises:
            TooLargeError: It is larger than one blob may be.
            StoreFullError: The disk is full.
        """
        ...

    def has(self, digest: str) -> bool:
        """Whether there are bytes of that digest."""
        ...

    def path(self, digest: str) -> Path:
        """Where the bytes lie; to be read only.

        Raises:
            NotFoundError: There are none.
        """
        ...

    def size_bytes(self) -> int:
        """Bytes of all blobs and uploads."""
        ...

    def sweep(self, keep: Collection[str], *, blobs_before: float, uploads_before: float) -> int:
        """Delete blobs whose digest is not among `keep`, and uploads, last touched before a time.

        Returns how many bytes that freed.
        """
        ...
