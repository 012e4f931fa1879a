"""DatasetService: labelled samples, sent typed, as a file, or named by URI."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from google.protobuf import empty_pb2

from transferscore.v1 import dataset_service_pb2 as pb
from transferscore_server.behind import Behind
from transferscore_server.blobs.blobs import Blobs
from transferscore_server.errors import exhausted, invalid, precondition
from transferscore_server.names import Name, new_id, parse_name, parse_parent, resource_id
from transferscore_server.paging import page_size
from transferscore_server.paths import allowed_dataset
from transferscore_server.requests import request_key
from transferscore_server.samples import SampleLog, write_dataset
from transferscore_server.settings import Settings
from transferscore_server.store.errors import NotFoundError
from transferscore_server.store.records import (
    DatasetRecord,
    DatasetState,
    PageRequest,
    UploadRecord,
    UploadState,
)
from transferscore_server.store.store import DatasetStore
from transferscore_server.values.datasets import (
    check_digest,
    check_display_name,
    dataset_message,
    format_name,
    upload_message,
)
from transferscore_server.values.scoring import task_name

__all__ = ["DatasetServicer"]


class DatasetServicer:
    """Datasets and the uploads that become some."""

    def __init__(self, store: DatasetStore, blobs: Blobs, settings: Settings) -> None:
        """Keep records in `store` and bytes in `blobs`."""
        self._store, self._blobs, self._settings = store, blobs, settings
        self._limits = settings.limits

    async def CreateDataset(self, request: Any, _context: Any = None) -> Any:
        """A dataset by URI."""
        project = parse_parent(request.parent)
        name = Name(project, "dataset", resource_id(request.dataset_id, "dataset_id"))
        path = await asyncio.to_thread(
            allowed_dataset, request.dataset.uri, self._settings.data_roots
        )
        key = request_key(request, project)
        record = await asyncio.to_thread(
            self._read, path, str(name), request.dataset, keep=not request.validate_only
        )
        if not request.validate_only:
            record, _ = await asyncio.to_thread(self._store.create_dataset, record, key)
        return dataset_message(record)

    async def StartUpload(self, request: Any, _context: Any = None) -> Any:
        """The beginning of an upload."""
        project = parse_parent(request.parent)
        record = self._new_upload(request, project)
        record, _ = await asyncio.to_thread(
            self._store.create_upload, record, request_key(request, project)
        )
        return await asyncio.to_thread(self._upload_message, record)

    async def UploadChunks(self, requests: AsyncIterator[Any], _context: Any = None) -> Any:
        """Chunks of a file."""
        upload: UploadRecord | None = None
        async with Behind() as writing:
            async for request in requests:
                if upload is None:
                    upload = await self._open_upload(request.upload, samples=False)
                # Every look at the field is a copy of it.
                data = request.data
                self._check_chunk(request, len(data), upload)
                crc = request.crc32 if request.HasField("crc32") else None
                await writing.call(self._blobs.append, upload.name, request.offset, data, crc)
            if upload is None:
                raise invalid("upload", "must be given in the first message; there was no message.")
            return pb.UploadChunksResponse(committed_size=await writing.result())

    async def UploadSamples(self, requests: AsyncIterator[Any], _context: Any = None) -> Any:
        """Typed samples."""
        log: SampleLog | None = None
        most = self._limits.max_dataset_bytes
        async with Behind() as writing:
            async for request in requests:
                if log is None:
                    record = await self._open_upload(request.upload, samples=True)
                    log = await asyncio.to_thread(SampleLog.open, self._blobs, record.name)
                await writing.call(log.append, request.offset, request.samples, most)
            if log is None:
                raise invalid("upload", "must be given in the first message; there was no message.")
            await writing.result()
        return pb.UploadSamplesResponse(
            committed_samples=log.n_samples, committed_size=log.size_bytes
        )

    async def GetUpload(self, request: Any, _context: Any = None) -> Any:
        """How far an upload has come."""
        name = parse_name("upload", request.name)
        record = await asyncio.to_thread(self._store.get_upload, str(name))
        return await asyncio.to_thread(self._upload_message, record)

    async def FinalizeUpload(self, request: Any, _context: Any = None) -> Any:
        """The dataset that an upload has become."""
        name = parse_name("upload", request.name)
        digest = check_digest(request.digest, "digest")
        record = await asyncio.to_thread(self._store.get_upload, str(name))
        dataset = await asyncio.to_thread(self._finalized, record, digest)
        return dataset_message(dataset)

    async def GetDataset(self, request: Any, _context: Any = None) -> Any:
        """One dataset."""
        name = parse_name("dataset", request.name)
        return dataset_message(await asyncio.to_thread(self._store.get_dataset, str(name)))

    async def ListDatasets(self, request: Any, _context: Any = None) -> Any:
        """One page of datasets."""
        project = parse_parent(request.parent)
        size = page_size(request.page_size, self._limits.max_page_size)
        page = await asyncio.to_thread(
            self._store.list_datasets, project, PageRequest(size, request.page_token)
        )
        return pb.ListDatasetsResponse(
            datasets=[dataset_message(record) for record in page.records],
            next_page_token=page.next_token,
        )

    async def DeleteDataset(self, request: Any, _context: Any = None) -> Any:
        """Nothing; the dataset is forgotten."""
        name = parse_name("dataset", request.name)
        await _unless_missing(
            request.allow_missing,
            lambda: self._store.delete_dataset(str(name), request.etag),
        )
        return empty_pb2.Empty()

    def _read(self, path: Path, name: str, message: Any, *, keep: bool) -> DatasetRecord:
        """The record of a file or folder on this machine; a file's bytes are kept, if `keep`."""
        label = check_display_name(message.display_name) or path.stem
        record = DatasetRecord(
            name, DatasetState.ACTIVE, label, uri=message.uri, create_time=time.time()
        )
        if path.is_dir():
            return replace(record, format="path")
        kind = format_name(message.format, path.name)
        if not keep:
            return replace(record, format=kind, size_bytes=path.stat().st_size)
        blob = self._blobs.add_file(path)
        return replace(record, format=kind, digest=blob.digest, size_bytes=blob.size_bytes)

    def _new_upload(self, request: Any, project: str) -> UploadRecord:
        dataset = Name(project, "dataset", resource_id(request.dataset_id, "dataset_id"))
        kind = format_name(request.dataset.format, request.dataset.display_name)
        if kind == "path":
            raise invalid("dataset.format", "must be that of a file, or SAMPLES.")
        if kind != "samples" and request.total_size < 1:
            raise invalid("total_size", f"must be at least 1 for a file; got {request.total_size}.")
        if kind == "samples" and request.expected_digest:
            raise invalid("expected_digest", "is for files; samples are hashed as they are kept.")
        if request.total_size > self._limits.max_dataset_bytes:
            raise exhausted(
                "TOO_LARGE",
                f"`total_size` must be at most {self._limits.max_dataset_bytes} "
                f"(Limits.max_dataset_bytes); got {request.total_size}.",
            )
        task = task_name(request.task)
        now = time.time()
        return UploadRecord(
            str(Name(project, "upload", new_id())),
            str(dataset),
            format=kind,
            display_name=check_display_name(request.dataset.display_name),
            total_size=max(0, request.total_size),
            expected_digest=check_digest(request.expected_digest, "expected_digest"),
            create_time=now,
            expire_time=now + self._limits.upload_expiry_seconds,
            labels={"task": task} if task else {},
        )

    def _upload_message(self, record: UploadRecord) -> Any:
        if record.expected_digest and self._blobs.has(record.expected_digest):
            return upload_message(record, record.total_size, deduplicated=True)
        if record.format == "samples":
            log = SampleLog.open(self._blobs, record.name)
            return upload_message(record, log.size_bytes, log.n_samples)
        return upload_message(record, self._blobs.committed(record.name))

    async def _open_upload(self, text: str, *, samples: bool) -> UploadRecord:
        name = parse_name("upload", text, "upload")
        record = await asyncio.to_thread(self._store.get_upload, str(name))
        if (record.format == "samples") is not samples:
            other = "UploadSamples" if record.format == "samples" else "UploadChunks"
            raise precondition("WRONG_METHOD", f"This upload takes its content by {other}.")
        if record.state is not UploadState.OPEN:
            raise precondition("UPLOAD_FINALIZED", "This upload is finalized; start another.")
        return record

    def _check_chunk(self, request: Any, size: int, upload: UploadRecord) -> None:
        most = self._limits.max_chunk_bytes
        if size > most:
            raise invalid("data", f"must be at most {most} bytes (Limits.max_chunk_bytes).")
        if request.upload and request.upload != upload.name:
            raise invalid("upload", "must be the same in all messages of a stream, or empty.")
        if request.offset < 0:
            raise invalid("offset", f"must be at least 0; got {request.offset}.")
        if request.offset + size > upload.total_size:
            raise invalid(
                "offset",
                f"and the size of `data` must not pass `total_size` ({upload.total_size}); "
                f"got {request.offset} + {size}.",
            )

    def _finalized(self, record: UploadRecord, digest: str) -> DatasetRecord:
        """The dataset of an upload, made now or before."""
        if record.state is UploadState.FINALIZED:
            return self._store.get_dataset(record.dataset)
        if digest and record.expected_digest and digest != record.expected_digest:
            raise invalid("digest", "must be the digest that StartUpload declared.")
        digest = digest or record.expected_digest
        if record.format == "samples":
            dataset = self._made_of_samples(record)
        else:
            dataset = self._made_of_file(record, digest)
        dataset = self._store.finalize_upload(record.name, dataset)
        self._blobs.discard(record.name)
        return dataset

    def _made_of_file(self, record: UploadRecord, digest: str) -> DatasetRecord:
        if digest and self._blobs.has(digest):
            return _of_upload(
                record, record.format, digest, self._blobs.path(digest).stat().st_size
            )
        committed = self._blobs.committed(record.name)
        if committed != record.total_size:
            raise precondition(
                "UPLOAD_INCOMPLETE",
                f"{committed} of {record.total_size} bytes are committed; go on from there.",
                committed=str(committed),
            )
        blob = self._blobs.finish(record.name, digest)
        return _of_upload(record, record.format, blob.digest, blob.size_bytes)

    def _made_of_samples(self, record: UploadRecord) -> DatasetRecord:
        log = SampleLog.open(self._blobs, record.name)
        with write_dataset(log) as (path, kind):
            blob = self._blobs.add_file(path)
        made = _of_upload(record, kind, blob.digest, blob.size_bytes)
        return replace(made, n_samples=log.n_samples)


def _of_upload(record: UploadRecord, kind: str, digest: str, size: int) -> DatasetRecord:
    return DatasetRecord(
        record.dataset,
        DatasetState.ACTIVE,
        _stem(record.display_name) or record.dataset.rpartition("/")[2],
        kind,
        digest,
        size,
        create_time=time.time(),
        labels=record.labels,
    )


def _stem(display_name: str) -> str:
    """A file name without the suffix that only says its format."""
    return Path(display_name).stem if Path(display_name).suffix else display_name


async def _unless_missing(allow_missing: bool, delete: Callable[[], None]) -> None:
    try:
        await asyncio.to_thread(delete)
    except NotFoundError:
        if not allow_missing:
            raise
