"""Nothing that was accepted is lost, and nothing is done twice, whoever is killed and when."""

from __future__ import annotations

import contextlib
import sqlite3

from transferscore_server.store.records import EventKind, RankingState
from transferscore_server.store.sql import open_store

import transferscore
from tests.unit.server_jobs.front import LIMITS, without_source, without_times, write_dataset
from tests.unit.server_jobs.kills import N_CANDIDATES, kill_loop, uris_of


def check_nothing_lost_or_twice(folder, killed):
    """Every accepted ranking is whole, in the library's own words, and the database is sound."""
    (folder / "library").mkdir()
    data = write_dataset(folder / "library")
    with contextlib.closing(open_store(f"sqlite:///{folder}/store.db", LIMITS)) as store:
        for name, full_name in killed.accepted.items():
            record = store.get_ranking(full_name)
            assert record.state == RankingState.SUCCEEDED
            assert (record.n_done, record.n_failed) == (N_CANDIDATES, 0)
            library = transferscore.rank(data, uris_of(name), cache=False, device="cpu")
            assert without_times(dict(record.document)) == without_source(library.to_dict())
            events = store.events(full_name, limit=100_000)
            assert [event.sequence for event in events] == list(range(1, len(events) + 1))
            told = [e.body["position"] for e in events if e.kind == EventKind.CANDIDATE]
            assert sorted(told) == list(range(N_CANDIDATES))
    with contextlib.closing(sqlite3.connect(folder / "store.db")) as database:
        assert database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert database.execute("PRAGMA foreign_key_check").fetchall() == []
        names = {row[0] for row in database.execute("SELECT name FROM rankings")}
        assert names == set(killed.accepted.values())


def test_fifty_kills_of_front_and_worker_lose_nothing_and_repeat_nothing(tmp_path):
    killed = kill_loop(tmp_path, n_kills=50, n_rankings=8, seed=1)
    assert killed.kills.total() >= 50
    assert min(killed.kills["front"], killed.kills["worker"]) >= 10
    assert len(killed.accepted) == 8
    check_nothing_lost_or_twice(tmp_path, killed)
    with contextlib.closing(sqlite3.connect(tmp_path / "store.db")) as database:
        # Some of the workers died at a candidate, not on their way to one.
        assert database.execute("SELECT SUM(deaths) FROM candidates").fetchone()[0] > 0
