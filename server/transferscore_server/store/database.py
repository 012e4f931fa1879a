"""A database: connections that read, one that writes at a time, and errors that say what to do."""

from __future__ import annotations

import contextlib
import sqlite3
import threading
from collections.abc import Iterator
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, exc, make_url, text

from transferscore.errors import InputError, MissingExtraError
from transferscore_server.migrations import migrate
from transferscore_server.store.errors import StoreBusyError, StoreFullError

__all__ = ["Database"]

_BUSY_SECONDS = 10.0
_URLS = "`sqlite:////folder/file.db` or `postgresql://user@host/name`"
# Any number, the same for all fronts: PostgreSQL's lock of those who count before they insert.
_COUNTING_LOCK = 7_340_021


class Database:
    """SQLite in WAL mode, or PostgreSQL, brought to the newest schema version when opened."""

    def __init__(self, url: str, busy_seconds: float = _BUSY_SECONDS) -> None:
        """Open `sqlite:////folder/file.db` or `postgresql://user@host/name`.

        Raises:
            InputError: The URL is not one of these.
            StoreBusyError: It cannot be reached.
            SchemaError: A newer version of this package wrote it.
            MissingExtraError: The driver for PostgreSQL is not installed.
        """
        self._engine = _engine(url, busy_seconds)
        self.is_sqlite = self._engine.dialect.name == "sqlite"
        # SQLite takes one writer at a time; waiting here is fair, waiting in SQLite is not.
        self._writer = threading.Lock() if self.is_sqlite else contextlib.nullcontext()
        try:
            with self.write() as connection:
                self.count_alone(connection)
                migrate(connection)
        except BaseException:
            self.close()
            raise

    @contextlib.contextmanager
    def read(self) -> Iterator[Connection]:
        """A connection that sees one state of the database throughout."""
        with _explained(), self._engine.connect() as connection, connection.begin():
            yield connection

    @contextlib.contextmanager
    def write(self, *, durable: bool = True) -> Iterator[Connection]:
        """A transaction, committed when the block ends and undone when it raises.

        Args:
            durable: Whether it must survive a power cut, and not only the death of the process.
        """
        with _explained(), self._writer, self._engine.connect() as plain:
            connection = plain.execution_options(writes="FULL" if durable else "NORMAL")
            with connection.begin():
                yield connection

    def count_alone(self, connection: Connection) -> None:
        """Until this transaction ends, let no other one count and then insert."""
        if not self.is_sqlite:
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _COUNTING_LOCK})

    def close(self) -> None:
        """Close all connections that are not in use."""
        self._engine.dispose()


def _engine(url: str, busy_seconds: float) -> Engine:
    parsed = _parsed(url)
    if parsed.get_backend_name() == "sqlite":
        engine = create_engine(parsed, connect_args={"timeout": busy_seconds})
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
        return engine
    parsed = parsed.set(drivername="postgresql+psycopg")
    try:
        import psycopg  # noqa: F401 -- the driver that the engine will load
    except ImportError:
        raise MissingExtraError.of("psycopg", "postgres", "A PostgreSQL database") from None
    timeout = f"-c lock_timeout={int(1000 * busy_seconds)}"
    return create_engine(parsed, pool_pre_ping=True, connect_args={"options": timeout})


def _parsed(url: str) -> URL:
    # The message does not repeat the URL: there may be a password in it.
    try:
        parsed = make_url(url)
    except exc.ArgumentError:
        raise InputError(f"`database_url` must be {_URLS}; it cannot be read as a URL.") from None
    scheme = parsed.drivername.partition("+")[0]
    if scheme not in {"sqlite", "postgresql"}:
        raise InputError(f"`database_url` must be {_URLS}; got the scheme {scheme!r}.")
    return parsed


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    # The driver would open transactions of its own accord, and deferred ones at that.
    connection.isolation_level = None
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA foreign_keys=ON")


def _begin_sqlite(connection: Connection) -> None:
    writes = connection.get_execution_options().get("writes")
    if writes is None:
        connection.exec_driver_sql("BEGIN")
        return
    connection.exec_driver_sql(f"PRAGMA synchronous={writes}")
    # A transaction that reads first and writes later fails at once where another writes meanwhile.
    connection.exec_driver_sql("BEGIN IMMEDIATE")


@contextlib.contextmanager
def _explained() -> Iterator[None]:
    """Turn the driver's errors about locks, disks and connections into ours."""
    try:
        yield
    except exc.DBAPIError as error:
        if isinstance(error, exc.IntegrityError):
            raise
        raise _explanation(error) from error
    except exc.TimeoutError as error:
        raise StoreBusyError("no connection was free in time") from error


def _explanation(error: exc.DBAPIError) -> Exception:
    cause = error.orig
    if isinstance(cause, sqlite3.Error):
        code = getattr(cause, "sqlite_errorcode", 0) & 0xFF
        if code == sqlite3.SQLITE_FULL:
            return StoreFullError("the database")
        busy = {
            sqlite3.SQLITE_BUSY,
            sqlite3.SQLITE_LOCKED,
            sqlite3.SQLITE_IOERR,
            sqlite3.SQLITE_READONLY,
            sqlite3.SQLITE_CANTOPEN,
        }
        return StoreBusyError(str(cause)) if code in busy else error
    state = getattr(cause, "sqlstate", None) or ""
    if state == "53100":
        return StoreFullError("the database")
    # 08 connection, 40 deadlock, 53 resources, 55 locks, 57 shutting down; none before connecting.
    if state[:2] in {"", "08", "40", "53", "55", "57"} and isinstance(error, exc.OperationalError):
        return StoreBusyError((str(cause).splitlines() or ["no answer"])[0])
    return error
