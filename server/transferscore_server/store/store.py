"""The store's interfaces: what servicers and the scheduler may ask of the database."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from transferscore_server.store.records import (
    CandidateRecord,
    DatasetRecord,
    ErrorRecord,
    EventRecord,
    NewRanking,
    Page,
    PageRequest,
    RankingRecord,
    RankingState,
    RequestKey,
    UploadRecord,
)

__all__ = ["DatasetStore", "JobStore", "Lease", "RankingStore", "Store"]

Lease = str  # names one life of one front process


class RankingStore(Protocol):
    """Rankings as callers see them.

    Every method may wait for the disk: from the event loop, `await asyncio.to_thread(method, ...)`.
    All may be called from any thread. What a method changed is committed when it returns.

    Raises, from any method:
        StoreBusyError: The database is locked or away; nothing was changed.
        StoreFullError: The disk is full; nothing was changed.
    """

    def create_ranking(
        self, new: NewRanking, request: RequestKey | None = None
    ) -> tuple[RankingRecord, bool]:
        """Queue a ranking; returns it and whether it is new (else the request came before).

        Raises:
            AlreadyExistsError: The name is taken.
            NotFoundError: There is no such dataset.
            QueueFullError: Too many wait.
            RequestReusedError: The request id was used for something else.
        """
        ...

    def get_ranking(self, name: str) -> RankingRecord:
        """The ranking of that name.

        Raises:
            NotFoundError: There is none.
        """
        ...

    def list_rankings(self, project: str, page: PageRequest) -> Page[RankingRecord]:
        """A page of the rankings of `projects/{project}`, without their documents.

        Raises:
            PageTokenError: The token is not one of this query.
        """
        ...

    def delete_ranking(self, name: str, etag: str = "") -> None:
        """Forget a ranking that has ended.

        Raises:
            NotFoundError: There is none.
            EtagMismatchError: An etag is given and is not the ranking's.
            InUseError: It has not ended; cancel it first.
        """
        ...

    def request_cancel(self, name: str) -> RankingRecord:
        """Ask for a ranking to stop: CANCELLED at once if it waits, CANCELLING if it runs.

        One that has ended stays as it is.

        Raises:
            NotFoundError: There is none.
        """
        ...

    def candidates(self, name: str) -> tuple[CandidateRecord, ...]:
        """The finished candidates by position, without their serialized outcomes.

        Raises:
            NotFoundError: There is no such ranking.
        """
        ...

    def events(self, name: str, after: int = 0, limit: int = 1000) -> tuple[EventRecord, ...]:
        """Events with a sequence number above `after`, in order, at most `limit`.

        Raises:
            NotFoundError: There is no such ranking.
        """
        ...


class JobStore(Protocol):
    """Rankings as the scheduler sees them: leased, so that one front works on each."""

    def recover(self, lease: Lease, owner: str) -> int:
        """Start a life of the front `owner`: leases of its earlier lives are void.

        Returns how many rankings wait to go on because of that.
        """
        ...

    def heartbeat(self, lease: Lease, seconds: float) -> None:
        """Keep the rankings of this lease for `seconds` more."""
        ...

    def claim(self, lease: Lease, owner: str, seconds: float) -> RankingRecord | None:
        """Take the next ranking: highest priority, fairest project, oldest. None if none waits.

        Rankings whose lease has run out are taken too; those that were being cancelled are ended.
        """
        ...

    def resume_point(self, name: str) -> tuple[CandidateRecord, ...]:
        """All candidates that are finished or have brought a worker down, with their outcomes."""
        ...

    def add_progress(self, lease: Lease, name: str, body: Mapping[str, Any]) -> bool:
        """Add a PROGRESS event. False if the ranking is no longer ours."""
        ...

    def finish_candidate(self, lease: Lease, name: str, candidate: CandidateRecord) -> bool:
        """Keep one candidate's result or failure, with its event, once and for all.

        False, and no change, if it is finished already or the ranking is no longer ours.
        """
        ...

    def record_death(self, lease: Lease, name: str, position: int, model: str) -> int:
        """Note that a worker died at a candidate; how many have. Position -1: at no candidate."""
        ...

    def finish(
        self,
        lease: Lease,
        name: str,
        state: RankingState,
        *,
        document: Mapping[str, Any] | None = None,
        error: ErrorRecord | None = None,
    ) -> bool:
        """End a ranking. False, and no change, if it has ended or is no longer ours."""
        ...

    def release(self, lease: Lease, name: str) -> None:
        """Put a ranking back among those that wait, with all that it has so far."""
        ...

    def cancelling(self, lease: Lease) -> Sequence[str]:
        """Names of our rankings that are to be stopped."""
        ...

    def counts(self) -> Mapping[RankingState, int]:
        """How many rankings are in each state."""
        ...


class DatasetStore(Protocol):
    """Datasets and uploads. The rules of `RankingStore` hold."""

    def create_dataset(
        self, record: DatasetRecord, request: RequestKey | None = None
    ) -> tuple[DatasetRecord, bool]:
        """Keep a dataset; returns it with etag and time, and whether it is new.

        Raises:
            AlreadyExistsError: The name is taken.
            QuotaError: The project's bytes are used up.
            RequestReusedError: The request id was used for something else.
        """
        ...

    def update_dataset(self, record: DatasetRecord) -> DatasetRecord:
        """Replace a dataset's record; `record.etag`, where given, must be the stored one.

        Raises:
            NotFoundError: There is none.
            EtagMismatchError: It was changed since it was read.
        """
        ...

    def get_dataset(self, name: str) -> DatasetRecord:
        """The dataset of that name.

        Raises:
            NotFoundError: There is none.
        """
        ...

    def list_datasets(self, project: str, page: PageRequest) -> Page[DatasetRecord]:
        """A page of the datasets of `projects/{project}`.

        Raises:
            PageTokenError: The token is not one of this query.
        """
        ...

    def delete_dataset(self, name: str, etag: str = "") -> None:
        """Forget a dataset; its bytes go with the next sweep.

        Raises:
            NotFoundError: There is none.
            EtagMismatchError: An etag is given and is not the dataset's.
            InUseError: A ranking that has not ended needs it.
        """
        ...

    def project_bytes(self, project: str) -> int:
        """Bytes of all datasets of `projects/{project}`."""
        ...

    def create_upload(
        self, record: UploadRecord, request: RequestKey | None = None
    ) -> tuple[UploadRecord, bool]:
        """Keep an upload; returns it with its time, and whether it is new.

        Raises:
            AlreadyExistsError: The name is taken, or that of its dataset is.
            QuotaError: The announced size does not fit the project's bytes.
            RequestReusedError: The request id was used for something else.
        """
        ...

    def get_upload(self, name: str) -> UploadRecord:
        """The upload of that name.

        Raises:
            NotFoundError: There is none, or it has expired.
        """
        ...

    def finalize_upload(self, name: str, dataset: DatasetRecord) -> DatasetRecord:
        """Make the upload the dataset that it was to become, both or none; again is no change.

        Raises:
            NotFoundError: There is no such upload.
            AlreadyExistsError: Another dataset took the name meanwhile.
            QuotaError: The project's bytes are used up.
        """
        ...

    def digests(self) -> frozenset[str]:
        """Digests of all datasets: what a sweep of the blobs must leave."""
        ...

    def expire(self, now: float) -> tuple[str, ...]:
        """Forget what has outlived its time: uploads, datasets, request ids, ended rankings.

        Returns the names of the uploads, whose partial bytes can go.
        """
        ...


class Store(RankingStore, JobStore, DatasetStore, Protocol):
    """All of it, and an end."""

    def check(self) -> None:
        """Whether the database answers.

        Raises:
            StoreBusyError: It does not.
        """
        ...

    def close(self) -> None:
        """Close all connections."""
        ...
