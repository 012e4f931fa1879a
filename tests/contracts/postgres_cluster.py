"""A PostgreSQL cluster of the tests' own, on a Unix socket, gone when they end."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

PROGRAMS = ("initdb", "pg_ctl", "postgres")
PLACES = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)


def reason_without() -> str | None:
    """Why there can be no cluster here; None where there can be one."""
    if importlib.util.find_spec("psycopg") is None:
        return "psycopg is not installed"
    if missing := [name for name in PROGRAMS if program(name) is None]:
        return f"PostgreSQL's {', '.join(missing)} cannot be found"
    if os.getuid() == 0 and (shutil.which("setpriv") is None or server_user() is None):
        return "PostgreSQL does not run as root, and there is no other user to run it as"
    return None


def program(name: str) -> str | None:
    return shutil.which(name, path=os.pathsep.join([os.environ["PATH"], *map(str, PLACES)]))


def server_user() -> pwd.struct_passwd | None:
    for name in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            return pwd.getpwnam(name)
    return None


def run(name: str, *arguments: str) -> None:
    command = [program(name), *arguments]
    if os.getuid() == 0:
        user = server_user()
        who = [f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups"]
        command = ["setpriv", *who, *command]
    done = subprocess.run(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, timeout=120
    )
    if done.returncode != 0:
        raise RuntimeError(f"{name} failed: {done.stderr.strip()}")


@contextlib.contextmanager
def cluster() -> Iterator[Path]:
    """The folder of the socket of a running cluster whose superuser is `tests`."""
    # A socket's path may have about 100 characters: pytest's own folders are too deep.
    with tempfile.TemporaryDirectory(prefix="ts-pg-", ignore_cleanup_errors=True) as made:
        folder = Path(made)
        if os.getuid() == 0:
            os.chown(folder, server_user().pw_uid, server_user().pw_gid)
        data = str(folder / "data")
        run("initdb", "-D", data, "-A", "trust", "-U", "tests", "--no-sync", "-E", "UTF8")
        options = f"-k {folder} -c listen_addresses='' -c fsync=off"
        run("pg_ctl", "-D", data, "-w", "-l", str(folder / "log"), "-o", options, "start")
        try:
            yield folder
        finally:
            run("pg_ctl", "-D", data, "-m", "immediate", "stop")


def empty_database(socket: Path) -> str:
    """The URL of the cluster's one database, emptied."""
    import psycopg

    with psycopg.connect(f"host={socket} user=tests dbname=postgres", autocommit=True) as server:
        server.execute("DROP SCHEMA public CASCADE")
        server.execute("CREATE SCHEMA public")
    return f"postgresql://tests@/postgres?host={socket}"
