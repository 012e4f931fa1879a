"""One ranking on one worker: what it is sent, and what becomes of what it says."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from transferscore_server.blobs.blobs import Blobs
from transferscore_server.jobs.settings import JobSettings
from transferscore_server.jobs.spans import RankingSpans
from transferscore_server.store.errors import NotFoundError, StoreBusyError, StoreFullError
from transferscore_server.store.records import (
    CandidateRecord,
    DatasetRecord,
    DatasetState,
    ErrorRecord,
    RankingRecord,
    RankingState,
)
from transferscore_server.store.store import Lease, Store
from transferscore_server.workers.device_worker import DeviceWorker
from transferscore_server.workers.messages import Message

__all__ = ["Backend", "Run"]

_log = logging.getLogger(__name__)
Call = Callable[..., Awaitable[Any]]  # runs a store's method in a thread


@dataclass(frozen=True, slots=True)
class Backend:
    """What all runs of one front share."""

    store: Store
    blobs: Blobs
    settings: JobSettings
    lease: Lease
    call: Call
    ring: Callable[[str], None]

    async def commit(self, method: Callable[..., Any], *arguments: Any, **named: Any) -> Any:
        """Call a method of the store until the database takes it: results are not lost."""
        while True:
            try:
                return await self.call(method, *arguments, **named)
            except (StoreBusyError, StoreFullError) as error:
                _log.warning("a result waits for the database: %s", error)
                await asyncio.sleep(getattr(error, "retry_seconds", 5.0))


@dataclass(slots=True)
class Run:
    """One ranking on its way through one worker, or through several where they die."""

    backend: Backend
    record: RankingRecord
    number: int
    spans: RankingSpans
    position: int = -1
    model: str = ""
    told: float = 0.0
    why: str = ""
    worker: DeviceWorker | None = None
    killer: asyncio.TimerHandle | None = field(default=None, repr=False)

    @property
    def name(self) -> str:
        """The ranking."""
        return self.record.name

    async def on(self, worker: DeviceWorker) -> Message | None:
        """Go through `worker`; the message that tells the end, or None where the worker died."""
        self.worker, self.position = worker, -1
        try:
            await self._send_all(worker)
            self._limit()
            if self.why:
                # Asked while there was no worker to tell.
                await self._tell_to_stop()
            while (message := await worker.receive()) is not None:
                if message.kind in {"done", "failed", "stopped"}:
                    return message
                await self._take(message)
            return None
        finally:
            self.worker = None
            if self.killer is not None:
                self.killer.cancel()

    async def stop(self, why: str) -> None:
        """Have the worker stop: at once by itself, or killed after the grace."""
        if not self.why:
            self.why = why
            await self._tell_to_stop()

    @property
    def is_late(self) -> bool:
        """Whether its deadline has passed."""
        return self.record.deadline is not None and time.time() >= self.record.deadline

    async def died(self) -> bool:
        """Note that the worker died; whether that is the ranking's end.

        A candidate that has brought down too many workers has failed, and the others go on.
        """
        self.spans.ended("WORKER_CRASHED")
        store, settings = self.backend.store, self.backend.settings
        deaths = await self.backend.commit(
            store.record_death, self.backend.lease, self.name, self.position, self.model
        )
        if deaths < settings.max_deaths:
            return False
        words = f"its worker process died {deaths} times, perhaps for want of memory."
        if self.position < 0:
            error = ErrorRecord("WORKER_CRASHED", f"The ranking was given up: {words}")
            await self.finish(RankingState.FAILED, error=error)
            return True
        error = ErrorRecord("WORKER_CRASHED", f"The model was given up: {words}")
        candidate = CandidateRecord(self.position, self.model, error=error)
        await self._keep(candidate)
        return False

    async def finish(self, state: RankingState, **about: Any) -> None:
        """End the ranking in the store."""
        store = self.backend.store
        await self.backend.commit(store.finish, self.backend.lease, self.name, state, **about)
        error: ErrorRecord | None = about.get("error")
        self.spans.close("" if error is None else error.reason)
        self.backend.ring(self.name)

    async def release(self) -> None:
        """Put the ranking back."""
        store = self.backend.store
        await self.backend.commit(store.release, self.backend.lease, self.name)
        self.spans.close()
        self.backend.ring(self.name)

    async def _send_all(self, worker: DeviceWorker) -> None:
        dataset = await self._dataset()
        options = dict(self.record.spec.options)
        if "fingerprints" in options:
            options["fingerprints"] = await self._fingerprints(options["fingerprints"])
        for known in await self.backend.commit(self.backend.store.resume_point, self.name):
            if known.is_finished:
                await worker.send(_finished(known))
        spec = self.record.spec
        fields = {
            "run": self.number,
            "ranking": self.name,
            "dataset": dataset,
            "models": [{"uri": model.uri, "name": model.name} for model in spec.models],
            "options": options,
            "deadline": self.record.deadline,
        }
        await worker.send(Message("run", fields))

    async def _dataset(self) -> dict[str, str]:
        """Where the worker finds the dataset.

        Raises:
            NotFoundError: It, or its content, is gone.
        """
        store = self.backend.store
        record: DatasetRecord = await self.backend.commit(
            store.get_dataset, self.record.spec.dataset
        )
        if record.state != DatasetState.ACTIVE:
            raise NotFoundError(record.name)
        name = record.display_name or record.name.rpartition("/")[2]
        if record.format == "path":
            path = record.uri.removeprefix("file://")
        else:
            path = str(await self.backend.call(self.backend.blobs.path, record.digest))
        return {"path": path, "format": record.format, "name": name}

    async def _fingerprints(self, given: Mapping[str, str]) -> dict[str, str]:
        """Model to the file of its fingerprint.

        Raises:
            NotFoundError: One, or its content, is gone.
        """
        paths = {}
        for model, name in given.items():
            record = await self.backend.commit(self.backend.store.get_dataset, name)
            paths[model] = str(await self.backend.call(self.backend.blobs.path, record.digest))
        return paths

    async def _take(self, message: Message) -> None:
        fields = message.fields
        if message.kind == "started":
            self.position, self.model = fields["position"], fields["model"]
            self.spans.began(self.model)
        elif message.kind == "progress":
            await self._progress(dict(fields))
        elif message.kind == "candidate":
            await self._keep(_candidate(message))
            self.spans.ended(fields.get("error", {}).get("reason", ""))
            self.position = -1

    async def _progress(self, body: dict[str, Any]) -> None:
        if time.monotonic() - self.told < self.backend.settings.progress_seconds:
            return
        self.told = time.monotonic()
        store, lease = self.backend.store, self.backend.lease
        # One that is lost is no loss: the next says more.
        with contextlib.suppress(StoreBusyError, StoreFullError):
            body["position"] = self.position
            await self.backend.call(store.add_progress, lease, self.name, body)
            self.backend.ring(self.name)

    async def _keep(self, candidate: CandidateRecord) -> None:
        store, lease = self.backend.store, self.backend.lease
        await self.backend.commit(store.finish_candidate, lease, self.name, candidate)
        self.backend.ring(self.name)

    def _limit(self) -> None:
        """Kill a worker that does not end its run in time of its own accord."""
        if self.record.deadline is not None:
            left = max(0.0, self.record.deadline - time.time())
            self._kill_in(left + self.backend.settings.grace_seconds)

    async def _tell_to_stop(self) -> None:
        if self.worker is not None:
            self._kill_in(self.backend.settings.grace_seconds)
            await self.worker.send(Message("stop", {"run": self.number, "why": self.why}))

    def _kill_in(self, seconds: float) -> None:
        if self.killer is not None:
            self.killer.cancel()
        if (worker := self.worker) is not None:
            loop = asyncio.get_running_loop()
            self.killer = loop.call_later(seconds, worker.kill)


def _finished(known: CandidateRecord) -> Message:
    fields: dict[str, Any] = {"position": known.position, "model": known.model}
    if known.error is not None:
        fields |= {"reason": known.error.reason, "message": known.error.message}
    return Message("finished", fields, known.outcome or b"")


def _candidate(message: Message) -> CandidateRecord:
    fields = message.fields
    error = ErrorRecord(**fields["error"]) if "error" in fields else None
    return CandidateRecord(
        fields["position"],
        fields["model"],
        results=fields.get("results"),
        error=error,
        outcome=message.content,
    )
