"""Rankings as callers see them, in a database."""

from __future__ import annotations

import time

from sqlalchemy import Connection, delete, func, insert, select

from transferscore_server.store import changes
from transferscore_server.store.database import Database
from transferscore_server.store.errors import (
    AlreadyExistsError,
    EtagMismatchError,
    InUseError,
    NotFoundError,
    QueueFullError,
)
from transferscore_server.store.limits import StoreLimits
from transferscore_server.store.paging import list_page, page_key
from transferscore_server.store.records import (
    CandidateRecord,
    EventKind,
    EventRecord,
    NewRanking,
    Page,
    PageRequest,
    RankingRecord,
    RankingState,
    RequestKey,
)
from transferscore_server.store.requests import answered, remember
from transferscore_server.store.rows import (
    candidate_of,
    event_of,
    project_of,
    ranking_of,
    text_of,
    text_of_spec,
)
from transferscore_server.store.tables import candidates, datasets, events, rankings

__all__ = ["SqlRankings"]


class SqlRankings:
    """The `RankingStore` of a database."""

    def __init__(self, database: Database, limits: StoreLimits) -> None:
        """Keep rankings in `database`, within `limits`."""
        self._database = database
        self._limits = limits
        with database.write() as connection:
            database.count_alone(connection)
            self._page_key = page_key(connection)

    def create_ranking(
        self, new: NewRanking, request: RequestKey | None = None
    ) -> tuple[RankingRecord, bool]:
        """Queue a ranking, as `RankingStore` has it."""
        project = project_of(new.name)
        with self._database.write() as connection:
            self._database.count_alone(connection)
            if (known := answered(connection, project, request)) is not None:
                return ranking_of(changes.lock(connection, known)), False
            self._check_new(connection, new, project)
            connection.execute(insert(rankings).values(_row_of_new(new, project)))
            remember(connection, project, request, new.name)
            row = changes.lock(connection, new.name)
            changes.add_event(connection, row, EventKind.STATE, {"state": RankingState.QUEUED})
            return ranking_of(changes.lock(connection, new.name)), True

    def get_ranking(self, name: str) -> RankingRecord:
        """The ranking of that name, as `RankingStore` has it."""
        with self._database.read() as connection:
            row = connection.execute(select(rankings).where(rankings.c.name == name)).first()
        if row is None:
            raise NotFoundError(name)
        return ranking_of(row)

    def list_rankings(self, project: str, page: PageRequest) -> Page[RankingRecord]:
        """A page of a project's rankings, as `RankingStore` has it."""
        with self._database.read() as connection:
            return list_page(
                connection,
                rankings,
                project,
                page,
                key=self._page_key,
                record_of=lambda row: ranking_of(row, with_document=False),
            )

    def delete_ranking(self, name: str, etag: str = "") -> None:
        """Forget a ranking that has ended, as `RankingStore` has it."""
        with self._database.write() as connection:
            record = ranking_of(changes.lock(connection, name), with_document=False)
            if etag and etag != record.etag:
                raise EtagMismatchError(name, etag, record.etag)
            if not record.state.is_final:
                raise InUseError(name, name)
            connection.execute(delete(rankings).where(rankings.c.name == name))

    def request_cancel(self, name: str) -> RankingRecord:
        """Ask for a ranking to stop, as `RankingStore` has it."""
        with self._database.write() as connection:
            row = changes.lock(connection, name)
            if row.state == RankingState.QUEUED:
                changes.end(connection, row, RankingState.CANCELLED)
            elif row.state == RankingState.RUNNING:
                changes.move(connection, row, RankingState.CANCELLING)
            return ranking_of(changes.lock(connection, name))

    def candidates(self, name: str) -> tuple[CandidateRecord, ...]:
        """The finished candidates, as `RankingStore` has it."""
        finished = candidates.c.results.is_not(None) | candidates.c.error.is_not(None)
        columns = [c for c in candidates.c if c.name != "outcome"]
        query = select(*columns).where(candidates.c.ranking == name, finished)
        with self._database.read() as connection:
            rows = connection.execute(query.order_by(candidates.c.position)).all()
            self._check_exists(connection, name)
        return tuple(candidate_of(row) for row in rows)

    def events(self, name: str, after: int = 0, limit: int = 1000) -> tuple[EventRecord, ...]:
        """Events after a sequence number, as `RankingStore` has it."""
        query = select(events).where(events.c.ranking == name, events.c.sequence > after)
        with self._database.read() as connection:
            rows = connection.execute(query.order_by(events.c.sequence).limit(limit)).all()
            if not rows:
                self._check_exists(connection, name)
        return tuple(event_of(row) for row in rows)

    def _check_exists(self, connection: Connection, name: str) -> None:
        query = select(rankings.c.name).where(rankings.c.name == name)
        if connection.execute(query).first() is None:
            raise NotFoundError(name)

    def _check_new(self, connection: Connection, new: NewRanking, project: str) -> None:
        """Whether there is room and data for it, and its name is free."""
        taken = select(rankings.c.name).where(rankings.c.name == new.name)
        if connection.execute(taken).first() is not None:
            raise AlreadyExistsError(new.name)
        data = select(datasets.c.name).where(datasets.c.name == new.spec.dataset)
        if connection.execute(data).first() is None:
            raise NotFoundError(new.spec.dataset)
        waiting = dict(self._waiting(connection))
        own, limit = waiting.get(project, 0), self._limits.queued_per_project
        if own >= limit:
            raise QueueFullError(own, limit, f"projects/{project}")
        if sum(waiting.values()) >= self._limits.queued_rankings:
            total = sum(waiting.values())
            raise QueueFullError(total, self._limits.queued_rankings, "all projects")

    @staticmethod
    def _waiting(connection: Connection) -> list[tuple[str, int]]:
        query = (
            select(rankings.c.project, func.count())
            .where(rankings.c.state == RankingState.QUEUED)
            .group_by(rankings.c.project)
        )
        return [(row[0], row[1]) for row in connection.execute(query)]


def _row_of_new(new: NewRanking, project: str) -> dict[str, object]:
    return {
        "name": new.name,
        "project": project,
        "state": RankingState.QUEUED,
        "dataset": new.spec.dataset,
        "spec": text_of_spec(new.spec),
        "priority": new.priority,
        "deadline": new.deadline,
        "labels": text_of(dict(new.labels)),
        "create_time": time.time(),
        "version": 1,
        "n_candidates": len(new.spec.models),
        "n_done": 0,
        "n_failed": 0,
        "last_sequence": 0,
        "deaths": 0,
    }
