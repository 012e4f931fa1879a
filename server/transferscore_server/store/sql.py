"""SqlStore: the whole store in one database, SQLite or PostgreSQL."""

from __future__ import annotations

from sqlalchemy import text

from transferscore_server.store.database import Database
from transferscore_server.store.datasets import SqlDatasets
from transferscore_server.store.jobs import SqlJobs
from transferscore_server.store.limits import StoreLimits
from transferscore_server.store.rankings import SqlRankings

__all__ = ["SqlStore", "open_store"]


class SqlStore(SqlRankings, SqlJobs, SqlDatasets):
    """The `Store` of a database."""

    def __init__(self, database: Database, limits: StoreLimits) -> None:
        """Keep everything in `database`, within `limits`."""
        SqlRankings.__init__(self, database, limits)
        SqlJobs.__init__(self, database)
        SqlDatasets.__init__(self, database, limits)

    def check(self) -> None:
        """Whether the database answers, as `Store` has it."""
        with self._database.read() as connection:
            connection.execute(text("SELECT 1"))

    def close(self) -> None:
        """Close all connections."""
        self._database.close()


def open_store(url: str, limits: StoreLimits | None = None) -> SqlStore:
    """Open the store at `sqlite:////folder/file.db` or `postgresql://user@host/name`.

    Raises:
        StoreBusyError: The database cannot be reached.
        SchemaError: A newer version of this package wrote it.
        MissingExtraError: The driver for PostgreSQL is not installed.
    """
    return SqlStore(Database(url), limits or StoreLimits())
