"""Changes of a ranking inside a transaction: locked, versioned, each with its event."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, insert, select, update

from transferscore_server.store.errors import NotFoundError
from transferscore_server.store.records import ErrorRecord, EventKind, RankingState
from transferscore_server.store.rows import Row, text_of, text_of_error
from transferscore_server.store.tables import events, rankings

__all__ = ["add_event", "change", "end", "lock", "move"]


def lock(connection: Connection, name: str) -> Row:
    """The ranking's row, which nobody else can change until this transaction ends.

    Raises:
        NotFoundError: There is none.
    """
    query = select(rankings).where(rankings.c.name == name).with_for_update()
    if (row := connection.execute(query).first()) is None:
        raise NotFoundError(name)
    return row


def change(connection: Connection, name: str, **values: Any) -> None:
    """Set columns of a locked ranking; its etag changes."""
    values["version"] = rankings.c.version + 1
    connection.execute(update(rankings).where(rankings.c.name == name).values(**values))


def add_event(connection: Connection, row: Row, kind: EventKind, body: Mapping[str, Any]) -> None:
    """Number an event of a locked ranking and keep it. At most one for each `lock`."""
    sequence = row.last_sequence + 1
    values = {"ranking": row.name, "sequence": sequence, "time": time.time(), "kind": kind}
    connection.execute(insert(events).values(values | {"body": text_of(body)}))
    change(connection, row.name, last_sequence=sequence)


def move(connection: Connection, row: Row, state: RankingState, **values: Any) -> None:
    """Bring a locked ranking into a state, and say so."""
    change(connection, row.name, state=state, **values)
    add_event(connection, row, EventKind.STATE, {"state": state})


def end(
    connection: Connection,
    row: Row,
    state: RankingState,
    *,
    document: Mapping[str, Any] | None = None,
    error: ErrorRecord | None = None,
) -> None:
    """Bring a locked ranking to its end, and say so."""
    body: dict[str, Any] = {"state": state}
    if error is not None:
        body["error"] = {"reason": error.reason, "message": error.message}
    change(
        connection,
        row.name,
        state=state,
        end_time=time.time(),
        document=None if document is None else text_of(document),
        error=text_of_error(error),
        lease=None,
        lease_owner=None,
        lease_until=None,
    )
    add_event(connection, row, EventKind.STATE, body)
