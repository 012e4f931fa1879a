"""A full disk, a locked database, a database of an earlier version: nothing is lost or damaged."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
from pathlib import Path

import pytest
from transferscore_server.migrations import MIGRATIONS, version_of
from transferscore_server.store.database import Database
from transferscore_server.store.errors import StoreBusyError, StoreFullError
from transferscore_server.store.records import (
    CandidateRecord,
    DatasetRecord,
    DatasetState,
    ErrorRecord,
    EventKind,
    ModelSpec,
    NewRanking,
    PageRequest,
    RankingSpec,
    RankingState,
    UploadState,
)
from transferscore_server.store.sql import open_store

from tests.unit.server_jobs.front import LIMITS, front, ranking

VERSION_1 = Path(__file__).with_name("database_v1.sql")
DATASET = "projects/p/datasets/d"


def new(name):
    return NewRanking(f"projects/p/rankings/{name}", RankingSpec(DATASET, (ModelSpec("onnx:a"),)))


def is_sound(file):
    with contextlib.closing(sqlite3.connect(file)) as database:
        return database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


def test_a_full_disk_is_said_and_everything_is_as_it_was(tmp_path):
    with contextlib.closing(open_store(f"sqlite:///{tmp_path}/store.db", LIMITS)) as store:
        store.create_dataset(DatasetRecord(DATASET, DatasetState.ACTIVE))
        store.create_ranking(new("r"))
        record = store.claim("life", "front", 60.0)
        with store._database.write() as connection:
            (pages,) = connection.exec_driver_sql("PRAGMA page_count").one()
            connection.exec_driver_sql(f"PRAGMA max_page_count={pages}")
        big = CandidateRecord(0, "a", results=[{}], outcome=bytes(10**6))
        with pytest.raises(StoreFullError, match="is full; nothing was changed"):
            store.finish_candidate("life", record.name, big)
        assert store.get_ranking(record.name) == record
        assert len(store.events(record.name)) == record.last_sequence
        with store._database.write() as connection:
            connection.exec_driver_sql(f"PRAGMA max_page_count={pages + 1000}")
        assert store.finish_candidate("life", record.name, big)
    assert is_sound(tmp_path / "store.db")


def test_results_wait_for_a_database_that_is_locked(tmp_path):
    async def locked():
        async with front(tmp_path) as (scheduler, store):
            store._database.close()
            store._database = Database(f"sqlite:///{tmp_path}/store.db", busy_seconds=0.05)
            name = (await scheduler.submit(ranking("r", "odd:a", "odd:b")))[0].name
            while store.get_ranking(name).state == RankingState.QUEUED:
                await asyncio.sleep(0.01)
            with contextlib.closing(sqlite3.connect(tmp_path / "store.db")) as other:
                other.isolation_level = None
                other.execute("BEGIN IMMEDIATE")
                with pytest.raises(StoreBusyError):
                    await scheduler.submit(ranking("s", "odd:a"))
                await asyncio.sleep(2.0)
                during = store.get_ranking(name)
                other.execute("ROLLBACK")
            return during, await scheduler.wait(name, 60), store.events(name)

    during, ended, events = asyncio.run(locked())
    assert during.state == RankingState.RUNNING
    assert (ended.state, ended.n_done) == (RankingState.SUCCEEDED, 2)
    told = [e.body["position"] for e in events if e.kind == EventKind.CANDIDATE]
    assert told == [0, 1]
    assert is_sound(tmp_path / "store.db")


def test_a_database_of_version_1_opens_with_all_that_is_in_it(tmp_path):
    file = tmp_path / "store.db"
    with contextlib.closing(sqlite3.connect(file)) as database:
        database.executescript(VERSION_1.read_text())
    with contextlib.closing(open_store(f"sqlite:///{file}", LIMITS)) as store:
        with store._database.write() as connection:
            assert version_of(connection) == max(MIGRATIONS)
        (dataset,) = store.list_datasets("p", PageRequest()).records
        assert (dataset.name, dataset.digest, dataset.n_samples) == (DATASET, "sha256:00", 7)
        upload = store.get_upload("projects/p/uploads/u")
        assert (upload.state, upload.total_size) == (UploadState.OPEN, 10)
        ended = store.get_ranking("projects/p/rankings/ended")
        assert (ended.state, ended.document) == (RankingState.SUCCEEDED, {"candidates": [0.1]})
        assert ended.spec.models == (ModelSpec("onnx:a"), ModelSpec("hf:b", "b"))
        assert [c.results for c in store.candidates(ended.name)] == [[{"value": 0.1}], None]
        assert store.candidates(ended.name)[1].error == ErrorRecord("EncoderError", "no")
        assert [e.sequence for e in store.events(ended.name)] == [1, 2, 3, 4, 5]
        # What that version was at goes on.
        assert store.recover("life-2", "front") == 1
        record = store.claim("life-2", "front", 60.0)
        assert record.name == "projects/p/rankings/running"
        (kept,) = store.resume_point(record.name)
        assert (kept.outcome, kept.deaths) == (b"\x00\xff", 0)
