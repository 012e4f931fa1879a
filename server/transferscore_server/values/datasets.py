"""Datasets and uploads as messages, and requests for them as records."""

from __future__ import annotations

import re
from pathlib import PurePath
from typing import Any

from transferscore.v1 import dataset_service_pb2 as pb
from transferscore_server.errors import invalid
from transferscore_server.store.records import DatasetRecord, UploadRecord
from transferscore_server.values.times import timestamp

__all__ = [
    "FINGERPRINT",
    "check_digest",
    "check_display_name",
    "dataset_message",
    "format_name",
    "upload_message",
]

FINGERPRINT = "safetensors"
"""The word for a fingerprint's format, as its file ends."""
_FORMATS: dict[int, str] = {
    pb.Dataset.ZIP: "zip",
    pb.Dataset.CSV: "csv",
    pb.Dataset.TSV: "tsv",
    pb.Dataset.JSONL: "jsonl",
    pb.Dataset.PARQUET: "parquet",
    pb.Dataset.NPZ: "npz",
    pb.Dataset.SAMPLES: "samples",
    pb.Dataset.FOLDER: "path",
    pb.Dataset.FINGERPRINT: FINGERPRINT,
}
_NUMBERS: dict[str, Any] = {word: number for number, word in _FORMATS.items()}
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_LONGEST_NAME = 200


def format_name(number: int, file: str, name: str = "dataset.format") -> str:
    """The word of a Format; told from the name of the file where it is not given.

    Raises:
        CallError: There is no such format, or the file's name does not tell one.
    """
    if number in _FORMATS:
        return _FORMATS[number]
    if number != pb.Dataset.FORMAT_UNSPECIFIED:
        raise invalid(name, f"must be one of {', '.join(pb.Dataset.Format.keys())}; got {number}.")
    suffix = PurePath(file).suffix.lower().lstrip(".")
    if suffix not in _NUMBERS:
        raise invalid(name, "must be given where no file name ends in .zip, .csv and the like.")
    return suffix


def check_digest(digest: str, name: str) -> str:
    """A digest, or nothing, as it was sent.

    Raises:
        CallError: It is not of the form `sha256:HEX`.
    """
    if digest and not _DIGEST.fullmatch(digest):
        raise invalid(name, "must be `sha256:` and 64 hexadecimal digits in small letters.")
    return digest


def check_display_name(text: str) -> str:
    """What reports are to call a dataset.

    Raises:
        CallError: It is too long, or holds what does not print.
    """
    if len(text) > _LONGEST_NAME or not text.isprintable():
        raise invalid(
            "dataset.display_name", f"must be at most {_LONGEST_NAME} printable characters."
        )
    return text


def dataset_message(record: DatasetRecord) -> Any:
    """A dataset as callers see it."""
    return pb.Dataset(
        name=record.name,
        display_name=record.display_name,
        uri=record.uri,
        digest=record.digest,
        size_bytes=record.size_bytes,
        sample_count=record.n_samples or 0,
        format=_NUMBERS.get(record.format, pb.Dataset.FORMAT_UNSPECIFIED),
        create_time=timestamp(record.create_time),
        etag=record.etag,
    )


def upload_message(
    record: UploadRecord, committed: int, samples: int = 0, *, deduplicated: bool = False
) -> Any:
    """An upload as callers see it."""
    return pb.Upload(
        name=record.name,
        committed_size=committed,
        committed_samples=samples,
        total_size=record.total_size,
        expected_digest=record.expected_digest,
        expire_time=timestamp(record.expire_time),
        deduplicated=deduplicated,
    )
