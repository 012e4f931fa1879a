"""Datasets and uploads, in a database."""

from __future__ import annotations

import time
from dataclasses import replace

from sqlalchemy import Connection, Table, and_, delete, func, insert, select, update

from transferscore_server.store.database import Database
from transferscore_server.store.errors import (
    AlreadyExistsError,
    EtagMismatchError,
    InUseError,
    NotFoundError,
    QuotaError,
)
from transferscore_server.store.limits import StoreLimits
from transferscore_server.store.paging import list_page, page_key
from transferscore_server.store.records import (
    DatasetRecord,
    Page,
    PageRequest,
    RankingState,
    RequestKey,
    UploadRecord,
    UploadState,
)
from transferscore_server.store.requests import answered, remember
from transferscore_server.store.rows import (
    Row,
    dataset_of,
    project_of,
    row_of_dataset,
    row_of_upload,
    upload_of,
)
from transferscore_server.store.tables import datasets, rankings, requests, uploads

__all__ = ["SqlDatasets"]

_ENDED = (RankingState.SUCCEEDED, RankingState.FAILED, RankingState.CANCELLED)


class SqlDatasets:
    """The `DatasetStore` of a database."""

    def __init__(self, database: Database, limits: StoreLimits) -> None:
        """Keep datasets in `database`, within `limits`."""
        self._database = database
        self._limits = limits
        with database.write() as connection:
            database.count_alone(connection)
            self._page_key = page_key(connection)

    def create_dataset(
        self, record: DatasetRecord, request: RequestKey | None = None
    ) -> tuple[DatasetRecord, bool]:
        """Keep a dataset, as `DatasetStore` has it."""
        project = project_of(record.name)
        with self._database.write() as connection:
            self._database.count_alone(connection)
            if (known := answered(connection, project, request)) is not None:
                return dataset_of(_locked(connection, datasets, known)), False
            created = self._insert(connection, record)
            remember(connection, project, request, record.name)
        return created, True

    def update_dataset(self, record: DatasetRecord) -> DatasetRecord:
        """Replace a dataset's record, as `DatasetStore` has it."""
        with self._database.write() as connection:
            self._database.count_alone(connection)
            found = dataset_of(_locked(connection, datasets, record.name))
            if record.etag and record.etag != found.etag:
                raise EtagMismatchError(record.name, record.etag, found.etag)
            self._check_quota(
                connection, project_of(record.name), record.size_bytes - found.size_bytes
            )
            values = {**row_of_dataset(record), "create_time": found.create_time}
            values["version"] = datasets.c.version + 1
            connection.execute(
                update(datasets).where(datasets.c.name == record.name).values(values)
            )
            return dataset_of(_locked(connection, datasets, record.name))

    def get_dataset(self, name: str) -> DatasetRecord:
        """The dataset of that name, as `DatasetStore` has it."""
        with self._database.read() as connection:
            row = connection.execute(select(datasets).where(datasets.c.name == name)).first()
        if row is None:
            raise NotFoundError(name)
        return dataset_of(row)

    def list_datasets(self, project: str, page: PageRequest) -> Page[DatasetRecord]:
        """A page of a project's datasets, as `DatasetStore` has it."""
        with self._database.read() as connection:
            return list_page(
                connection, datasets, project, page, key=self._page_key, record_of=dataset_of
            )

    def delete_dataset(self, name: str, etag: str = "") -> None:
        """Forget a dataset, as `DatasetStore` has it."""
        with self._database.write() as connection:
            self._database.count_alone(connection)
            found = dataset_of(_locked(connection, datasets, name))
            if etag and etag != found.etag:
                raise EtagMismatchError(name, etag, found.etag)
            users = select(rankings.c.name).where(
                rankings.c.dataset == name, rankings.c.state.not_in(_ENDED)
            )
            if (user := connection.execute(users.limit(1)).scalar()) is not None:
                raise InUseError(name, user)
            connection.execute(delete(datasets).where(datasets.c.name == name))

    def project_bytes(self, project: str) -> int:
        """Bytes of a project's datasets, as `DatasetStore` has it."""
        with self._database.read() as connection:
            return _bytes_of(connection, project)

    def create_upload(
        self, record: UploadRecord, request: RequestKey | None = None
    ) -> tuple[UploadRecord, bool]:
        """Keep an upload, as `DatasetStore` has it."""
        project = project_of(record.name)
        with self._database.write() as connection:
            self._database.count_alone(connection)
            if (known := answered(connection, project, request)) is not None:
                return upload_of(_locked(connection, uploads, known)), False
            for table, name in [(uploads, record.name), (datasets, record.dataset)]:
                _check_free(connection, table, name)
            self._check_quota(connection, project, record.total_size)
            created = replace(record, create_time=time.time())
            connection.execute(insert(uploads).values(row_of_upload(created)))
            remember(connection, project, request, record.name)
        return created, True

    def get_upload(self, name: str) -> UploadRecord:
        """The upload of that name, as `DatasetStore` has it."""
        with self._database.read() as connection:
            row = connection.execute(select(uploads).where(uploads.c.name == name)).first()
        if row is None or (row.state == UploadState.OPEN and row.expire_time < time.time()):
            raise NotFoundError(name)
        return upload_of(row)

    def finalize_upload(self, name: str, dataset: DatasetRecord) -> DatasetRecord:
        """Make the upload a dataset, as `DatasetStore` has it."""
        with self._database.write() as connection:
            self._database.count_alone(connection)
            upload = upload_of(_locked(connection, uploads, name))
            if upload.state == UploadState.FINALIZED:
                return dataset_of(_locked(connection, datasets, upload.dataset))
            values = update(uploads).where(uploads.c.name == name)
            connection.execute(values.values(state=UploadState.FINALIZED))
            return self._insert(connection, dataset)

    def digests(self) -> frozenset[str]:
        """Digests of all datasets, as `DatasetStore` has it."""
        query = select(datasets.c.digest).where(datasets.c.digest != "").distinct()
        with self._database.read() as connection:
            return frozenset(str(digest) for digest in connection.execute(query).scalars())

    def expire(self, now: float) -> tuple[str, ...]:
        """Forget what has outlived its time, as `DatasetStore` has it."""
        needed = select(rankings.c.dataset).where(rankings.c.state.not_in(_ENDED))
        old = now - self._limits.ranking_seconds
        with self._database.write(durable=False) as connection:
            self._database.count_alone(connection)
            late = uploads.c.expire_time < now
            names = connection.execute(select(uploads.c.name).where(late)).scalars().all()
            connection.execute(delete(uploads).where(late))
            connection.execute(
                delete(datasets).where(
                    and_(datasets.c.expire_time < now, datasets.c.name.not_in(needed))
                )
            )
            forgotten = requests.c.create_time < now - self._limits.request_seconds
            connection.execute(delete(requests).where(forgotten))
            connection.execute(delete(rankings).where(rankings.c.end_time < old))
        return tuple(names)

    def _insert(self, connection: Connection, record: DatasetRecord) -> DatasetRecord:
        _check_free(connection, datasets, record.name)
        self._check_quota(connection, project_of(record.name), record.size_bytes)
        values = {**row_of_dataset(record), "create_time": time.time(), "version": 1}
        connection.execute(insert(datasets).values(values))
        return dataset_of(_locked(connection, datasets, record.name))

    def _check_quota(self, connection: Connection, project: str, asked: int) -> None:
        limit = self._limits.project_bytes
        if asked > 0 and (used := _bytes_of(connection, project)) + asked > limit:
            raise QuotaError(used, asked, limit, f"projects/{project}")


def _locked(connection: Connection, table: Table, name: str) -> Row:
    row = connection.execute(select(table).where(table.c.name == name).with_for_update()).first()
    if row is None:
        raise NotFoundError(name)
    return row


def _check_free(connection: Connection, table: Table, name: str) -> None:
    if connection.execute(select(table.c.name).where(table.c.name == name)).first() is not None:
        raise AlreadyExistsError(name)


def _bytes_of(connection: Connection, project: str) -> int:
    query = select(func.coalesce(func.sum(datasets.c.size_bytes), 0))
    return int(connection.execute(query.where(datasets.c.project == project)).scalar() or 0)
