"""FileBlobs: blobs and uploads as files in one folder."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import io
import os
import re
import threading
import zlib
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

from transferscore_server.blobs.blobs import Blob
from transferscore_server.store.errors import (
    ChunkCorruptError,
    DigestError,
    NotFoundError,
    OffsetError,
    QuotaError,
    StoreFullError,
    TooLargeError,
)

__all__ = ["BlobLimits", "FileBlobs"]

_DIGEST = re.compile(r"sha256:([0-9a-f]{64})")
_BLOCK_BYTES = 2**20
_WRITE_OUT_BYTES = 32 * 2**20
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


@dataclass(frozen=True, slots=True)
class BlobLimits:
    """How much may be kept.

    Attributes:
        blob_bytes: Size of one blob.
        total_bytes: Size of all blobs and uploads together.
    """

    blob_bytes: int = 10 * 2**30
    total_bytes: int = 500 * 2**30


@dataclass(slots=True)
class _Upload:
    """An upload in work: what its file holds, hashed as it came."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    size: int = 0
    sha: Any = None  # hashlib's object, once the file's bytes have gone through it


class FileBlobs:
    """The `Blobs` of a folder.

    An upload's committed size is the size of its file, so it survives the death of the process: the
    bytes of a chunk are checked before they are written, and a prefix of good bytes is good. What a
    power cut takes from an upload, the sender is told to send again; a blob is on the disk before
    it has its name.
    """

    def __init__(self, folder: Path, limits: BlobLimits | None = None) -> None:
        """Use `folder`, made if it is not there.

        Raises:
            StoreFullError: The disk is full.
        """
        self._blobs, self._uploads = folder / "sha256", folder / "uploads"
        self._limits = limits or BlobLimits()
        with _space_needed(folder):
            for made in (self._blobs, self._uploads):
                made.mkdir(parents=True, exist_ok=True)
        self._lock = threading.Lock()
        self._in_work: dict[str, _Upload] = {}
        self._total = sum(file.stat().st_size for file in self._files())

    def append(self, upload: str, offset: int, data: bytes, crc32: int | None = None) -> int:
        """Add a chunk to an upload, as `Blobs` has it."""
        with self._working_on(upload) as work:
            if crc32 is not None and (found := zlib.crc32(data)) != crc32:
                raise ChunkCorruptError(work.size, crc32, found)
            if offset > work.size or offset < 0:
                raise OffsetError(offset, work.size)
            # A call that is repeated because its answer was lost brings bytes that are here.
            fresh = memoryview(data)[work.size - offset :]
            if fresh:
                self._reserve(len(fresh), work.size + len(fresh))
                self._write(upload, work, fresh)
            return work.size

    def committed(self, upload: str) -> int:
        """Bytes of an upload that are kept, as `Blobs` has it."""
        with contextlib.suppress(FileNotFoundError):
            return self._upload_file(upload).stat().st_size
        return 0

    def read(self, upload: str) -> BinaryIO:
        """The committed bytes of an upload, as `Blobs` has it."""
        try:
            return self._upload_file(upload).open("rb")
        except FileNotFoundError:
            return io.BytesIO()

    def finish(self, upload: str, expected_digest: str = "") -> Blob:
        """Make an upload a blob, as `Blobs` has it."""
        file = self._upload_file(upload)
        with self._working_on(upload) as work, _space_needed(file):
            file.touch()
            blob = Blob(f"sha256:{work.sha.hexdigest()}", work.size)
            if expected_digest and expected_digest != blob.digest:
                self._drop(file)
                self._forget(upload)
                raise DigestError(expected_digest, blob.digest)
            self._name(file, blob)
        self._forget(upload)
        return blob

    def discard(self, upload: str) -> None:
        """Drop an upload, as `Blobs` has it."""
        with self._working_on(upload):
            self._drop(self._upload_file(upload))
        self._forget(upload)

    def add_file(self, path: Path) -> Blob:
        """Keep a copy of a file, as `Blobs` has it."""
        name = f"copy of {path} by {os.getpid()}-{threading.get_ident()}"
        self.discard(name)
        try:
            with path.open("rb") as source:
                done = 0
                while block := source.read(_BLOCK_BYTES):
                    done = self.append(name, done, block)
            return self.finish(name)
        except BaseException:
            self.discard(name)
            raise

    def has(self, digest: str) -> bool:
        """Whether there are bytes of that digest, as `Blobs` has it."""
        return _DIGEST.fullmatch(digest) is not None and self._blob_file(digest).is_file()

    def path(self, digest: str) -> Path:
        """Where the bytes lie, as `Blobs` has it."""
        if not self.has(digest):
            raise NotFoundError(digest)
        return self._blob_file(digest)

    def size_bytes(self) -> int:
        """Bytes of everything, as `Blobs` has it."""
        return self._total

    def sweep(self, keep: Collection[str], *, blobs_before: float, uploads_before: float) -> int:
        """Delete what nobody needs, as `Blobs` has it."""
        kept = {self._blob_file(digest) for digest in keep if _DIGEST.fullmatch(digest)}
        freed = 0
        for file in self._files():
            before = uploads_before if file.parent == self._uploads else blobs_before
            with contextlib.suppress(FileNotFoundError):
                if file not in kept and file.stat().st_mtime < before:
                    freed += self._drop(file)
        return freed

    def _files(self) -> list[Path]:
        return [*self._blobs.glob("*/*"), *self._uploads.glob("*")]

    def _upload_file(self, upload: str) -> Path:
        # A name of any length and any characters, as a file name.
        return self._uploads / hashlib.sha256(upload.encode()).hexdigest()

    def _blob_file(self, digest: str) -> Path:
        hexadecimal = digest.partition(":")[2]
        return self._blobs / hexadecimal[:2] / hexadecimal

    @contextlib.contextmanager
    def _working_on(self, upload: str) -> Iterator[_Upload]:
        """The upload, for one caller at a time, all its bytes hashed."""
        with self._lock:
            work = self._in_work.setdefault(upload, _Upload())
        with work.lock:
            size = self.committed(upload)
            if work.sha is None or work.size != size:
                work.sha, work.size = _hashed(self._upload_file(upload)), size
            yield work

    def _forget(self, upload: str) -> None:
        with self._lock:
            self._in_work.pop(upload, None)

    def _reserve(self, fresh: int, size: int) -> None:
        if size > self._limits.blob_bytes:
            raise TooLargeError(
                f"One dataset may have {self._limits.blob_bytes} bytes; this one has {size} or "
                "more. Rank on a sample of it."
            )
        with self._lock:
            if self._total + fresh > self._limits.total_bytes:
                raise QuotaError(self._total, fresh, self._limits.total_bytes, "This server")
            self._total += fresh

    def _write(self, upload: str, work: _Upload, fresh: memoryview) -> None:
        file = self._upload_file(upload)
        try:
            with _space_needed(file), file.open("ab", buffering=0) as stream:
                written = 0
                while written < len(fresh):
                    written += stream.write(fresh[written:])
                _write_out(stream.fileno(), work.size, work.size + written)
        except BaseException:
            with self._lock:
                self._total -= len(fresh)
            if file.exists():
                os.truncate(file, work.size)
            raise
        work.sha.update(fresh)
        work.size += len(fresh)

    def _name(self, file: Path, blob: Blob) -> None:
        """Give an upload's file its place among the blobs, once its bytes are on the disk."""
        target = self._blob_file(blob.digest)
        if target.exists():
            # Touched, so that a sweep leaves it until the dataset that needs it is committed.
            os.utime(target)
            self._drop(file)
            return
        target.parent.mkdir(exist_ok=True)
        _sync(file)
        file.replace(target)
        _sync(target.parent)

    def _drop(self, file: Path) -> int:
        try:
            size = file.stat().st_size
            file.unlink()
        except FileNotFoundError:
            return 0
        with self._lock:
            self._total -= size
        return size


def _hashed(file: Path) -> Any:
    sha = hashlib.sha256()
    with contextlib.suppress(FileNotFoundError), file.open("rb") as stream:
        while block := stream.read(_BLOCK_BYTES):
            sha.update(block)
    return sha


def _write_out(descriptor: int, before: int, now: int) -> None:
    """Have what is large written to the disk as it comes, and its pages used again.

    Pages of memory that nothing has used yet are the slowest to write to, five times as slow on a
    virtual machine, and what waits to be written would all wait for the end.
    """
    if not hasattr(os, "posix_fadvise"):
        return  # as on macOS
    if (start := now // _WRITE_OUT_BYTES) > before // _WRITE_OUT_BYTES:
        # The first time starts writing, the second time forgets what has been written.
        begin = max(0, start - 2) * _WRITE_OUT_BYTES
        os.posix_fadvise(descriptor, begin, now - begin, os.POSIX_FADV_DONTNEED)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def _space_needed(where: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno in _FULL:
            raise StoreFullError(str(where.parent)) from error
        raise
