"""The schema's history: numbered steps, each applied once, in order, in one transaction."""

from __future__ import annotations

import time
from collections.abc import Mapping

from sqlalchemy import Connection, text

from transferscore_server.migrations.m0001_initial import STATEMENTS as INITIAL
from transferscore_server.store.errors import SchemaError

__all__ = ["MIGRATIONS", "migrate", "version_of"]

MIGRATIONS: Mapping[int, tuple[str, ...]] = {1: INITIAL}
"""Version to the statements that lead to it from the one before."""

_TYPES = {
    "sqlite": {"blob": "BLOB"},
    "postgresql": {"blob": "BYTEA"},
}


def migrate(
    connection: Connection, migrations: Mapping[int, tuple[str, ...]] = MIGRATIONS
) -> tuple[int, ...]:
    """Bring the database to the newest version; returns the versions that were applied.

    The caller holds a transaction that no other writer shares, so a step is applied whole or not at
    all, and by one process only.

    Raises:
        SchemaError: The database was written by a newer version of this package.
    """
    version, newest = version_of(connection), max(migrations)
    if version > newest:
        raise SchemaError(
            f"The database has schema version {version}; this package knows {newest}. "
            "Install the version of transferscore that wrote it, or a newer one."
        )
    missing = tuple(range(version + 1, newest + 1))
    types = _TYPES[connection.dialect.name]
    for step in missing:
        for statement in migrations[step]:
            connection.execute(text(statement.format(**types)))
        connection.execute(
            text("INSERT INTO schema_versions (version, applied_at) VALUES (:version, :now)"),
            {"version": step, "now": time.time()},
        )
    return missing


def version_of(connection: Connection) -> int:
    """The database's schema version; 0 for an empty one. Makes the table that holds it."""
    connection.execute(
        text(
            "CREATE TABLE IF NOT EXISTS schema_versions "
            "(version BIGINT PRIMARY KEY, applied_at DOUBLE PRECISION NOT NULL)"
        )
    )
    return connection.execute(text("SELECT MAX(version) FROM schema_versions")).scalar() or 0
