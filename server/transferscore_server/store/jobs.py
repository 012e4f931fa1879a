"""Rankings as the scheduler sees them, in a database: leased, resumed, ended once."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Select, and_, func, insert, or_, select, update

from transferscore_server.store import changes
from transferscore_server.store.database import Database
from transferscore_server.store.errors import NotFoundError
from transferscore_server.store.records import (
    CandidateRecord,
    ErrorRecord,
    EventKind,
    RankingRecord,
    RankingState,
)
from transferscore_server.store.rows import Row, candidate_of, ranking_of, text_of, text_of_error
from transferscore_server.store.store import Lease
from transferscore_server.store.tables import candidates, rankings

__all__ = ["SqlJobs"]

_RUNS = (RankingState.RUNNING, RankingState.CANCELLING)
_NO_LEASE = {"lease": None, "lease_owner": None, "lease_until": None}


class SqlJobs:
    """The `JobStore` of a database."""

    def __init__(self, database: Database) -> None:
        """Lease rankings of `database`."""
        self._database = database

    def recover(self, lease: Lease, owner: str) -> int:
        """Void the leases of an owner's earlier lives, as `JobStore` has it."""
        earlier = and_(rankings.c.lease_owner == owner, rankings.c.lease != lease)
        query = select(rankings).where(rankings.c.state.in_(_RUNS), earlier)
        with self._database.write() as connection:
            rows = connection.execute(query.with_for_update()).all()
            return sum(_put_back(connection, row) for row in rows)

    def heartbeat(self, lease: Lease, seconds: float) -> None:
        """Keep our rankings for longer, as `JobStore` has it."""
        ours = update(rankings).where(rankings.c.lease == lease)
        with self._database.write(durable=False) as connection:
            connection.execute(ours.values(lease_until=time.time() + seconds))

    def claim(self, lease: Lease, owner: str, seconds: float) -> RankingRecord | None:
        """Take the next ranking, as `JobStore` has it."""
        with self._database.write() as connection:
            now = time.time()
            _take_back_expired(connection, now)
            if (row := connection.execute(_next_in_line()).first()) is None:
                return None
            changes.move(
                connection,
                row,
                RankingState.RUNNING,
                start_time=row.start_time or now,
                lease=lease,
                lease_owner=owner,
                lease_until=now + seconds,
            )
            return ranking_of(changes.lock(connection, row.name))

    def resume_point(self, name: str) -> tuple[CandidateRecord, ...]:
        """All that is known of a ranking's candidates, as `JobStore` has it."""
        query = select(candidates).where(candidates.c.ranking == name)
        with self._database.read() as connection:
            rows = connection.execute(query.order_by(candidates.c.position)).all()
        return tuple(candidate_of(row, row.outcome) for row in rows)

    def add_progress(self, lease: Lease, name: str, body: Mapping[str, Any]) -> bool:
        """Add a PROGRESS event, as `JobStore` has it."""
        with self._ours(lease, name, durable=False) as (connection, row):
            if row is not None:
                changes.add_event(connection, row, EventKind.PROGRESS, body)
        return row is not None

    def finish_candidate(self, lease: Lease, name: str, candidate: CandidateRecord) -> bool:
        """Keep one candidate's result or failure, as `JobStore` has it."""
        with self._ours(lease, name, durable=False) as (connection, row):
            if row is None or not _keep_candidate(connection, name, candidate):
                return False
            changes.add_event(connection, row, *_told(candidate))
            failed = candidate.error is not None
            changes.change(
                connection, name, n_done=row.n_done + (not failed), n_failed=row.n_failed + failed
            )
        return True

    def record_death(self, lease: Lease, name: str, position: int, model: str) -> int:
        """Note that a worker died, as `JobStore` has it."""
        with self._ours(lease, name) as (connection, row):
            if row is None:
                return 0
            if position < 0:
                changes.change(connection, name, deaths=row.deaths + 1)
                return int(row.deaths) + 1
            known = _candidate_row(connection, name, position)
            deaths = 1 if known is None else known.deaths + 1
            if known is None:
                values = {"ranking": name, "position": position, "model": model, "deaths": 1}
                connection.execute(insert(candidates).values(values))
            else:
                _update_candidate(connection, name, position, deaths=deaths)
            return int(deaths)

    def finish(
        self,
        lease: Lease,
        name: str,
        state: RankingState,
        *,
        document: Mapping[str, Any] | None = None,
        error: ErrorRecord | None = None,
    ) -> bool:
        """End a ranking, as `JobStore` has it."""
        with self._ours(lease, name) as (connection, row):
            if row is not None:
                changes.end(connection, row, state, document=document, error=error)
        return row is not None

    def release(self, lease: Lease, name: str) -> None:
        """Put a ranking back, as `JobStore` has it."""
        with self._ours(lease, name) as (connection, row):
            if row is not None:
                _put_back(connection, row)

    def cancelling(self, lease: Lease) -> Sequence[str]:
        """Our rankings that are to be stopped, as `JobStore` has it."""
        query = select(rankings.c.name).where(
            rankings.c.lease == lease, rankings.c.state == RankingState.CANCELLING
        )
        with self._database.read() as connection:
            return [str(name) for name in connection.execute(query).scalars()]

    def counts(self) -> Mapping[RankingState, int]:
        """How many rankings are in each state, as `JobStore` has it."""
        query = select(rankings.c.state, func.count()).group_by(rankings.c.state)
        with self._database.read() as connection:
            found = {RankingState(row[0]): int(row[1]) for row in connection.execute(query)}
        return {state: found.get(state, 0) for state in RankingState}

    @contextlib.contextmanager
    def _ours(
        self, lease: Lease, name: str, *, durable: bool = True
    ) -> Iterator[tuple[Connection, Row | None]]:
        """A transaction and the locked row; None if it has ended, or another front has it."""
        with self._database.write(durable=durable) as connection:
            try:
                row = changes.lock(connection, name)
            except NotFoundError:
                row = None
            is_ours = row is not None and row.lease == lease and row.state in _RUNS
            yield connection, row if is_ours else None


def _next_in_line() -> Select[Any]:
    """The waiting ranking of highest priority, of the project that has fewest at work, oldest."""
    at_work = (
        select(rankings.c.project, func.count().label("n"))
        .where(rankings.c.state.in_(_RUNS))
        .group_by(rankings.c.project)
        .subquery()
    )
    return (
        select(rankings)
        .outerjoin(at_work, at_work.c.project == rankings.c.project)
        .where(rankings.c.state == RankingState.QUEUED)
        .order_by(
            rankings.c.priority.desc(),
            func.coalesce(at_work.c.n, 0),
            rankings.c.create_time,
            rankings.c.name,
        )
        .limit(1)
        .with_for_update(of=rankings, skip_locked=True)
    )


def _take_back_expired(connection: Connection, now: float) -> None:
    expired = or_(rankings.c.lease_until.is_(None), rankings.c.lease_until < now)
    query = select(rankings).where(rankings.c.state.in_(_RUNS), expired)
    for row in connection.execute(query.with_for_update(skip_locked=True)).all():
        _put_back(connection, row)


def _put_back(connection: Connection, row: Row) -> bool:
    """Let a ranking wait again, or end it where it was being cancelled; whether it waits."""
    if row.state == RankingState.CANCELLING:
        changes.end(connection, row, RankingState.CANCELLED)
        return False
    changes.move(connection, row, RankingState.QUEUED, **_NO_LEASE)
    return True


def _told(candidate: CandidateRecord) -> tuple[EventKind, Mapping[str, Any]]:
    about = {"position": candidate.position, "model": candidate.model}
    if candidate.error is not None:
        failure = {"reason": candidate.error.reason, "message": candidate.error.message}
        return EventKind.FAILURE, about | failure
    return EventKind.CANDIDATE, about | {"results": candidate.results}


def _keep_candidate(connection: Connection, name: str, candidate: CandidateRecord) -> bool:
    """Write a finished candidate; False where there is one already."""
    values: dict[str, Any] = {
        "model": candidate.model,
        "results": None if candidate.results is None else text_of(candidate.results),
        "error": text_of_error(candidate.error),
        "outcome": candidate.outcome,
    }
    known = _candidate_row(connection, name, candidate.position)
    if known is None:
        key = {"ranking": name, "position": candidate.position, "deaths": 0}
        connection.execute(insert(candidates).values(values | key))
        return True
    if known.results is not None or known.error is not None:
        return False
    _update_candidate(connection, name, candidate.position, **values)
    return True


def _candidate_row(connection: Connection, name: str, position: int) -> Row | None:
    query = select(candidates).where(
        candidates.c.ranking == name, candidates.c.position == position
    )
    return connection.execute(query).first()


def _update_candidate(connection: Connection, name: str, position: int, **values: Any) -> None:
    row = and_(candidates.c.ranking == name, candidates.c.position == position)
    connection.execute(update(candidates).where(row).values(**values))
