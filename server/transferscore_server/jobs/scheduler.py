"""Scheduler: the `Jobs` of one front, with a worker process for each of its devices."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import logging
import os
import time
import uuid
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from transferscore.errors import InputError
from transferscore_server.blobs.blobs import Blobs
from transferscore_server.jobs.bell import Bell
from transferscore_server.jobs.device import QUEUE, DeviceLoop
from transferscore_server.jobs.run import Backend
from transferscore_server.jobs.settings import JobSettings, found_devices
from transferscore_server.jobs.status import DeviceStatus
from transferscore_server.store.errors import StoreBusyError, StoreFullError
from transferscore_server.store.records import (
    EventKind,
    EventRecord,
    NewRanking,
    RankingRecord,
    RankingState,
    RequestKey,
)
from transferscore_server.store.store import Store
from transferscore_server.workers.device_worker import WorkerOptions
from transferscore_server.workers.memory import machine_bytes

__all__ = ["Scheduler"]

_log = logging.getLogger(__name__)
_STORE_THREADS = 4
_EVENTS_AT_ONCE = 200
_SWEEP_SECONDS = 600.0
# A blob is younger than this while the dataset that needs it is being committed.
_BLOB_SECONDS = 3600.0
# Uploads go when their record expires; this takes what a crash in between has left.
_UPLOAD_SECONDS = 7 * 24 * 3600.0
Value = TypeVar("Value")


class Scheduler:
    """Takes rankings, works on them, and tells of them. Every life of a front has its own lease."""

    def __init__(self, store: Store, blobs: Blobs, settings: JobSettings) -> None:
        """Work on the rankings of `store` whose datasets are in `blobs`.

        Raises:
            InputError: A device's name is not one.
        """
        self._store = store
        self._blobs = blobs
        self._settings = settings
        self._bell = Bell()
        self._threads = ThreadPoolExecutor(_STORE_THREADS, thread_name_prefix="store")
        self._lease = uuid.uuid4().hex
        backend = Backend(store, blobs, settings, self._lease, self._call, self._bell.ring)
        names = found_devices(settings)
        options = WorkerOptions(
            settings.data_dir / "features",
            offline=settings.offline,
            n_threads=max(1, (os.cpu_count() or 1) // max(1, len(names))),
            model_bytes=settings.model_bytes,
            preload=settings.preload,
        )
        recycle = settings.recycle_bytes or machine_bytes() // 2
        self._loops = [DeviceLoop(name, backend, self._bell, options, recycle) for name in names]
        self._tasks: list[asyncio.Task[None]] = []
        self._care: list[asyncio.Task[None]] = []
        self._lock: int | None = None

    async def start(self) -> None:
        """Take up what an earlier life left, and work from now on, as `Jobs` has it.

        Raises:
            InputError: Another front of this name uses the folder.
        """
        self._settings.data_dir.mkdir(parents=True, exist_ok=True)
        self._lock = _lock(self._settings.data_dir / f"{self._settings.owner}.lock")
        resumed = await self._call(self._store.recover, self._lease, self._settings.owner)
        if resumed:
            _log.info("%d rankings of an earlier life go on", resumed)
        self._tasks = [asyncio.create_task(loop.serve()) for loop in self._loops]
        self._care = [asyncio.create_task(self._look_after()), asyncio.create_task(self._sweep())]

    async def submit(
        self, new: NewRanking, request: RequestKey | None = None
    ) -> tuple[RankingRecord, bool]:
        """Queue a ranking, as `Jobs` has it."""
        record, is_new = await self._call(self._store.create_ranking, new, request)
        if is_new:
            self._bell.ring(QUEUE)
        return record, is_new

    async def cancel(self, name: str) -> RankingRecord:
        """Ask for a ranking to stop, as `Jobs` has it."""
        record = await self._call(self._store.request_cancel, name)
        self._bell.ring(name)
        if record.state == RankingState.CANCELLING:
            await self._stop(name)
        return record

    async def wait(self, name: str, timeout: float | None = None) -> RankingRecord:
        """The ranking once it has ended, or as it stands after a time, as `Jobs` has it."""
        ends = None if timeout is None else time.monotonic() + timeout
        while True:
            heard = self._bell.listen(name)
            try:
                record = await self._call(self._store.get_ranking, name)
                left = self._poll if ends is None else min(self._poll, ends - time.monotonic())
                if record.state.is_final or left <= 0:
                    return record
                await self._bell.wait(heard, left)
            finally:
                heard.cancel()

    async def watch(
        self, name: str, after: int = 0, heartbeat: float = 15.0
    ) -> AsyncIterator[EventRecord | None]:
        """Events as they come, to the ranking's end, as `Jobs` has it."""
        quiet_since = time.monotonic()
        while True:
            heard = self._bell.listen(name)
            try:
                events = await self._call(self._store.events, name, after, _EVENTS_AT_ONCE)
                for event in events:
                    yield event
                    after, quiet_since = event.sequence, time.monotonic()
                    if _is_end(event):
                        return
                if events:
                    continue
                if await self._is_over(name, after):
                    return
                if time.monotonic() - quiet_since >= heartbeat:
                    quiet_since = time.monotonic()
                    yield None
                await self._bell.wait(heard, min(self._poll, heartbeat))
            finally:
                heard.cancel()

    def devices(self) -> tuple[DeviceStatus, ...]:
        """The devices and what their workers do, as `Jobs` has it."""
        return tuple(loop.status() for loop in self._loops)

    async def drain(self, grace: float) -> None:
        """Take nothing new, put back what still runs, and stop, as `Jobs` has it."""
        for loop in self._loops:
            loop.drain()
        self._bell.ring(QUEUE)
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=grace)
        for run in [loop.run for loop in self._loops]:
            if run is not None:
                await run.stop("drain")
        if self._tasks:
            # Longer than a worker has to stop; what even then hangs is put back at the next start.
            await asyncio.wait(self._tasks, timeout=self._settings.grace_seconds + 5.0)
        await self._end()

    async def _end(self) -> None:
        tasks = self._tasks + self._care
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for loop in self._loops:
            await loop.end()
        self._threads.shutdown(wait=True)
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    @property
    def _poll(self) -> float:
        return self._settings.poll_seconds

    async def _call(self, method: Callable[..., Value], *arguments: Any, **named: Any) -> Value:
        """Run what may wait for the disk, in a thread."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, partial(method, *arguments, **named))

    async def _stop(self, name: str) -> None:
        for run in [loop.run for loop in self._loops]:
            if run is not None and run.name == name:
                await run.stop("cancel")

    async def _is_over(self, name: str, after: int) -> bool:
        """Whether a ranking has ended and all its events were given."""
        record = await self._call(self._store.get_ranking, name)
        return record.state.is_final and record.last_sequence <= after

    async def _look_after(self) -> None:
        """Keep the lease, and stop what another front was asked to cancel."""
        while True:
            await asyncio.sleep(min(self._poll, self._settings.lease_seconds / 3))
            if all(loop.run is None for loop in self._loops):
                continue
            with contextlib.suppress(StoreBusyError, StoreFullError):
                seconds = self._settings.lease_seconds
                await self._call(self._store.heartbeat, self._lease, seconds)
                for name in await self._call(self._store.cancelling, self._lease):
                    await self._stop(name)

    async def _sweep(self) -> None:
        """Forget what has outlived its time, and the bytes that nobody needs."""
        while True:
            try:
                for upload in await self._call(self._store.expire, time.time()):
                    await self._call(self._blobs.discard, upload)
                keep = await self._call(self._store.digests)
                now = time.time()
                await self._call(
                    self._blobs.sweep,
                    keep,
                    blobs_before=now - _BLOB_SECONDS,
                    uploads_before=now - _UPLOAD_SECONDS,
                )
            except (StoreBusyError, StoreFullError, OSError) as error:
                _log.warning("old things could not be cleared away: %s", error)
            await asyncio.sleep(_SWEEP_SECONDS)


def _is_end(event: EventRecord) -> bool:
    return event.kind == EventKind.STATE and RankingState(event.body["state"]).is_final


def _lock(file: Path) -> int:
    """Hold a lock that goes with this process, however it ends."""
    descriptor = os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        raise InputError(
            f"Another server uses `{file.parent}`; stop it, or give this one another data folder."
        ) from None
    return descriptor
