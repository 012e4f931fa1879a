"""A front of the tests' own: store, blobs, a dataset and a scheduler in one folder."""

from __future__ import annotations

import contextlib
from dataclasses import replace
from pathlib import Path

import numpy as np
from transferscore_server.blobs.files import FileBlobs
from transferscore_server.jobs.scheduler import Scheduler
from transferscore_server.jobs.settings import JobSettings
from transferscore_server.store.limits import StoreLimits
from transferscore_server.store.records import (
    DatasetRecord,
    DatasetState,
    ModelSpec,
    NewRanking,
    RankingSpec,
)
from transferscore_server.store.sql import open_store

RNG = np.random.default_rng(0)
LABELS = np.repeat([0, 1, 2], 30)
ROWS = (RNG.normal(size=(90, 6)) + 1.5 * np.eye(3, 6)[LABELS]).astype(np.float32)
DATASET = "projects/p/datasets/rows"
LIMITS = StoreLimits(queued_rankings=1000, queued_per_project=1000)
SETTINGS = JobSettings(
    Path(),
    devices=("cpu",),
    grace_seconds=0.5,
    progress_seconds=0.0,
    poll_seconds=0.2,
    preload=("tests.unit.server_jobs.odd_preload",),
)


def write_dataset(folder: Path) -> Path:
    path = folder / "rows.npz"
    np.savez(path, features=ROWS, labels=LABELS)
    return path


@contextlib.asynccontextmanager
async def front(folder: Path, url: str | None = None, **settings):
    """A scheduler at work in `folder`, and its store."""
    store = open_store(url or f"sqlite:///{folder}/store.db", LIMITS)
    blobs = FileBlobs(folder / "blobs")
    blob = blobs.add_file(write_dataset(folder))
    with contextlib.suppress(Exception):
        store.create_dataset(
            DatasetRecord(
                DATASET,
                DatasetState.ACTIVE,
                display_name="rows",
                format="npz",
                digest=blob.digest,
                size_bytes=blob.size_bytes,
            )
        )
    scheduler = Scheduler(store, blobs, replace(SETTINGS, data_dir=folder, **settings))
    await scheduler.start()
    try:
        yield scheduler, store
    finally:
        await scheduler.drain(0.0)
        store.close()


def ranking(name, *uris, deadline=None, **options):
    spec = RankingSpec(DATASET, tuple(ModelSpec(uri) for uri in uris), options)
    return NewRanking(f"projects/p/rankings/{name}", spec, deadline=deadline)


def without_times(document):
    for candidate in document["candidates"]:
        candidate.pop("seconds")
        candidate.pop("forward_seconds")
    return document


def without_source(document):
    """A library's document as a server has it, which does not say where the data lies."""
    document["dataset"] |= {"source": None, "columns": None}
    return without_times(document)
