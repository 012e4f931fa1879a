"""Where records meet rows: JSON in text columns, versions as etags."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from transferscore_server.store.records import (
    CandidateRecord,
    DatasetRecord,
    DatasetState,
    ErrorRecord,
    EventKind,
    EventRecord,
    ModelSpec,
    RankingRecord,
    RankingSpec,
    RankingState,
    UploadRecord,
    UploadState,
)

__all__ = [
    "candidate_of",
    "dataset_of",
    "event_of",
    "project_of",
    "ranking_of",
    "row_of_dataset",
    "row_of_upload",
    "spec_of_text",
    "text_of",
    "text_of_error",
    "text_of_spec",
    "upload_of",
]

Row = Any  # one row of a result: columns are its attributes


def project_of(name: str) -> str:
    """The project of a full resource name."""
    return name.split("/", 2)[1]


def text_of(value: Any) -> str:
    """JSON; numbers that are not finite survive, as Python writes and reads them."""
    return json.dumps(value, separators=(",", ":"))


def text_of_error(error: ErrorRecord | None) -> str | None:
    """An error as JSON."""
    return None if error is None else text_of(asdict(error))


def text_of_spec(spec: RankingSpec) -> str:
    """A spec as JSON."""
    return text_of(asdict(spec))


def spec_of_text(content: str) -> RankingSpec:
    """The inverse of `text_of_spec`."""
    fields = json.loads(content)
    models = tuple(ModelSpec(**model) for model in fields["models"])
    return RankingSpec(fields["dataset"], models, fields["options"])


def ranking_of(row: Row, *, with_document: bool = True) -> RankingRecord:
    """A row of `rankings`."""
    document = json.loads(row.document) if with_document and row.document else None
    return RankingRecord(
        row.name,
        RankingState(row.state),
        spec_of_text(row.spec),
        row.priority,
        row.deadline,
        json.loads(row.labels),
        row.create_time,
        row.start_time,
        row.end_time,
        _etag(row),
        row.n_candidates,
        row.n_done,
        row.n_failed,
        row.last_sequence,
        _error_of(row),
        document,
    )


def candidate_of(row: Row, outcome: bytes | None = None) -> CandidateRecord:
    """A row of `candidates`."""
    results = json.loads(row.results) if row.results else None
    return CandidateRecord(row.position, row.model, row.deaths, results, _error_of(row), outcome)


def event_of(row: Row) -> EventRecord:
    """A row of `events`."""
    return EventRecord(row.sequence, row.time, EventKind(row.kind), json.loads(row.body))


def dataset_of(row: Row) -> DatasetRecord:
    """A row of `datasets`."""
    return DatasetRecord(
        row.name,
        DatasetState(row.state),
        row.display_name,
        row.format,
        row.digest,
        row.size_bytes,
        row.uri,
        row.n_samples,
        row.n_classes,
        row.create_time,
        row.expire_time,
        _etag(row),
        _error_of(row),
        json.loads(row.labels),
    )


def row_of_dataset(record: DatasetRecord) -> Mapping[str, Any]:
    """The columns of a dataset, but for its version."""
    row = asdict(record) | {"project": project_of(record.name)}
    del row["etag"]
    return row | {"error": text_of_error(record.error), "labels": text_of(dict(record.labels))}


def upload_of(row: Row) -> UploadRecord:
    """A row of `uploads`."""
    return UploadRecord(
        row.name,
        row.dataset,
        UploadState(row.state),
        row.format,
        row.display_name,
        row.total_size,
        row.expected_digest,
        row.create_time,
        row.expire_time,
        json.loads(row.labels),
    )


def row_of_upload(record: UploadRecord) -> Mapping[str, Any]:
    """The columns of an upload."""
    project = project_of(record.name)
    return asdict(record) | {"project": project, "labels": text_of(dict(record.labels))}


def _error_of(row: Row) -> ErrorRecord | None:
    return ErrorRecord(**json.loads(row.error)) if row.error else None


def _etag(row: Row) -> str:
    # The time tells a thing from one of the same name that was deleted.
    return f"{int(1e6 * row.create_time):x}-{row.version}"
