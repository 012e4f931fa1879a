"""What is stored, as values. Times are Unix seconds; names are full resource names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Generic, TypeVar

__all__ = [
    "CandidateRecord",
    "DatasetRecord",
    "DatasetState",
    "ErrorRecord",
    "EventKind",
    "EventRecord",
    "ModelSpec",
    "NewRanking",
    "Page",
    "PageRequest",
    "RankingRecord",
    "RankingSpec",
    "RankingState",
    "RequestKey",
    "UploadRecord",
    "UploadState",
]

Record = TypeVar("Record")


class RankingState(StrEnum):
    """Where a ranking is: waiting, worked on, being stopped, or at one of three ends."""

    QUEUED = "QUEUED"
    RUNNING = "RUNNING"
    CANCELLING = "CANCELLING"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"
    CANCELLED = "CANCELLED"

    @property
    def is_final(self) -> bool:
        """Whether nothing more will happen."""
        return self in {self.SUCCEEDED, self.FAILED, self.CANCELLED}


class DatasetState(StrEnum):
    """Whether a dataset can be ranked on."""

    IMPORTING = "IMPORTING"
    ACTIVE = "ACTIVE"
    FAILED = "FAILED"


class UploadState(StrEnum):
    """Whether an upload takes bytes."""

    OPEN = "OPEN"
    FINALIZED = "FINALIZED"


class EventKind(StrEnum):
    """What an event tells; `EventRecord.body` says what it holds."""

    STATE = "STATE"
    PROGRESS = "PROGRESS"
    CANDIDATE = "CANDIDATE"
    FAILURE = "FAILURE"


@dataclass(frozen=True, slots=True)
class ErrorRecord:
    """Why something failed.

    Attributes:
        reason: Stable name, such as "WORKER_CRASHED" or the class of a library error.
        message: One sentence for a person.
    """

    reason: str
    message: str


@dataclass(frozen=True, slots=True)
class ModelSpec:
    """One candidate: its URI, and what the report calls it where that is not the URI."""

    uri: str
    name: str | None = None


@dataclass(frozen=True, slots=True)
class RankingSpec:
    """What is asked: everything that `transferscore.rank` needs.

    Attributes:
        dataset: Name of a stored dataset.
        models: The candidates, globs already expanded and allow-lists already applied.
        options: JSON-able keyword arguments of `transferscore.rank`, such as split, scores, seed.
    """

    dataset: str
    models: tuple[ModelSpec, ...]
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RequestKey:
    """Makes a request idempotent: the same key gives the same answer and does nothing twice.

    Attributes:
        request_id: What the caller chose.
        fingerprint: Digest of the request; another one under the same id is refused.
    """

    request_id: str
    fingerprint: str


@dataclass(frozen=True, slots=True)
class NewRanking:
    """A ranking to be queued.

    Attributes:
        name: `projects/{project}/rankings/{ranking}`.
        spec: What is asked.
        priority: Higher goes first; 0 is usual.
        deadline: When it must have ended; None for no limit.
        labels: The caller's own words about it; also where a trace context travels.
    """

    name: str
    spec: RankingSpec
    priority: int = 0
    deadline: float | None = None
    labels: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RankingRecord:
    """A ranking as it stands.

    Attributes:
        name: `projects/{project}/rankings/{ranking}`.
        state: Where it is.
        spec: What was asked.
        priority: Higher goes first.
        deadline: When it must have ended.
        labels: The caller's own words.
        create_time: When it was accepted.
        start_time: When a worker first took it.
        end_time: When it ended.
        etag: Changes with every change.
        n_candidates: How many there are.
        n_done: How many of them have a result.
        n_failed: How many of them failed.
        last_sequence: Number of the newest event; 0 for none.
        error: Why it failed.
        document: The answer, as `Ranking.to_dict()` has it; None until it has succeeded.
    """

    name: str
    state: RankingState
    spec: RankingSpec
    priority: int
    deadline: float | None
    labels: Mapping[str, str]
    create_time: float
    start_time: float | None
    end_time: float | None
    etag: str
    n_candidates: int
    n_done: int
    n_failed: int
    last_sequence: int
    error: ErrorRecord | None
    document: Mapping[str, Any] | None


@dataclass(frozen=True, slots=True)
class CandidateRecord:
    """One finished candidate of a ranking, or how often it has brought a worker down.

    Attributes:
        position: From 0, in the order of the spec.
        model: What the report calls it.
        deaths: Workers that died at it.
        results: Its rows as the final document has them, but for rank, p_best and
            tied_with_first; None if it has failed or is not finished.
        error: Why it failed.
        outcome: The library's own value, serialized, from which a killed ranking goes on.
    """

    position: int
    model: str
    deaths: int = 0
    results: Sequence[Mapping[str, Any]] | None = None
    error: ErrorRecord | None = None
    outcome: bytes | None = None

    @property
    def is_finished(self) -> bool:
        """Whether it has a result or a failure."""
        return self.results is not None or self.error is not None


@dataclass(frozen=True, slots=True)
class EventRecord:
    """Something that happened to a ranking.

    Attributes:
        sequence: From 1, without gaps within one ranking.
        time: When.
        kind: What.
        body: STATE: `state`, and `error` where there is one. PROGRESS: `model`, `position`,
            `samples_done`, `samples_total`, `samples_stored`. CANDIDATE: `position`, `model`,
            `results`. FAILURE: `position`, `model`, `reason`, `message`.
    """

    sequence: int
    time: float
    kind: EventKind
    body: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class DatasetRecord:
    """A dataset as it stands.

    Attributes:
        name: `projects/{project}/datasets/{dataset}`.
        state: Whether it can be ranked on.
        display_name: What reports call it.
        format: How its bytes are read: "zip", "csv", "tsv", "jsonl", "npz", "parquet", "samples";
            or "path" for a file or folder that stays where it is.
        digest: "sha256:<hex>" of the content; "" until it is known.
        size_bytes: Size of the content.
        uri: Where it came from; "" for an upload.
        n_samples: Labelled samples; None until they have been counted.
        n_classes: Classes; None until they have been counted.
        create_time: When it was accepted.
        expire_time: When it may be deleted; None for never.
        etag: Changes with every change.
        error: Why it failed.
        labels: The caller's own words.
    """

    name: str
    state: DatasetState
    display_name: str = ""
    format: str = ""
    digest: str = ""
    size_bytes: int = 0
    uri: str = ""
    n_samples: int | None = None
    n_classes: int | None = None
    create_time: float = 0.0
    expire_time: float | None = None
    etag: str = ""
    error: ErrorRecord | None = None
    labels: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class UploadRecord:
    """An upload: bytes on their way to become a dataset.

    Attributes:
        name: `projects/{project}/uploads/{upload}`.
        dataset: Name of the dataset that it will become.
        state: Whether it takes bytes.
        format: As of the dataset.
        display_name: As of the dataset.
        total_size: Announced size; 0 where it was not announced.
        expected_digest: Announced "sha256:<hex>"; "" where it was not announced.
        create_time: When it was started.
        expire_time: When it is dropped if it has not been finalized.
        labels: The caller's own words.
    """

    name: str
    dataset: str
    state: UploadState = UploadState.OPEN
    format: str = ""
    display_name: str = ""
    total_size: int = 0
    expected_digest: str = ""
    create_time: float = 0.0
    expire_time: float = 0.0
    labels: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class PageRequest:
    """Which page of a list.

    Attributes:
        size: At most this many; from 1.
        token: The `next_token` of the page before; "" for the first.
        state: Only those in this state; "" for all.
        newest_first: Whether to go by falling create_time.
    """

    size: int = 50
    token: str = ""
    state: str = ""
    newest_first: bool = True


@dataclass(frozen=True, slots=True)
class Page(Generic[Record]):
    """A page of a list; `next_token` is "" on the last."""

    records: tuple[Record, ...]
    next_token: str
