"""DeviceLoop: one device, its worker, and the rankings that go through it one after another."""

from __future__ import annotations

import asyncio
import itertools
import logging
import time
from collections import Counter

from transferscore_server.jobs.bell import Bell
from transferscore_server.jobs.run import Backend, Run
from transferscore_server.jobs.spans import RankingSpans
from transferscore_server.jobs.status import DeviceStatus
from transferscore_server.store.errors import NotFoundError, ServiceError
from transferscore_server.store.records import ErrorRecord, RankingRecord, RankingState
from transferscore_server.workers.device_worker import DeviceWorker, WorkerOptions, start_worker
from transferscore_server.workers.messages import Message

__all__ = ["QUEUE", "DeviceLoop"]

_log = logging.getLogger(__name__)
QUEUE = ""
"""The bell's name for "something waits"."""
_RETRY_SECONDS = 1.0
_numbers = itertools.count(1)


class DeviceLoop:
    """Claims rankings, runs each on the device's worker, and replaces the worker where needed."""

    def __init__(
        self, device: str, backend: Backend, bell: Bell, options: WorkerOptions, recycle_bytes: int
    ) -> None:
        """Serve `device`; a worker that holds more than `recycle_bytes` when idle is replaced."""
        self.device = device
        self.run: Run | None = None
        self._backend = backend
        self._bell = bell
        self._options = options
        self._recycle_bytes = recycle_bytes
        self._worker: DeviceWorker | None = None
        self._held = 0
        self._restarts: Counter[str] = Counter()
        self._draining = False

    def status(self) -> DeviceStatus:
        """What the worker does now."""
        is_ready = self._worker is not None and self._worker.is_alive
        return DeviceStatus(
            self.device,
            is_ready,
            "" if self.run is None else self.run.name,
            self._worker.pid if self._worker is not None and is_ready else None,
            self._held,
            dict(self._restarts),
        )

    def drain(self) -> None:
        """Claim nothing more."""
        self._draining = True

    async def serve(self) -> None:
        """Work until drained."""
        while not self._draining:
            heard = self._bell.listen(QUEUE)
            try:
                await self._ready_worker()
                record = await self._claim()
            except ServiceError as error:
                _log.warning("%s takes no rankings now: %s", self.device, error)
                record = None
            if record is not None:
                heard.cancel()
                await self._bring_to_end(record)
            elif not self._draining:
                await self._bell.wait(heard, self._backend.settings.poll_seconds)

    async def end(self) -> None:
        """End the worker."""
        if self._worker is not None:
            await self._worker.end()
            self._worker = None

    async def _claim(self) -> RankingRecord | None:
        backend = self._backend
        settings = backend.settings
        record: RankingRecord | None = await backend.call(
            backend.store.claim, backend.lease, settings.owner, settings.lease_seconds
        )
        return record

    async def _ready_worker(self) -> DeviceWorker:
        """The worker, started where there is none.

        Raises:
            WorkerStartError: It cannot be started.
        """
        if self._worker is not None and not self._worker.is_alive:
            await self._retire("crashed")
        if self._worker is None:
            self._worker = await start_worker(self.device, self._options)
        return self._worker

    async def _retire(self, why: str) -> None:
        _log.info("the worker of %s is replaced: %s", self.device, why)
        self._restarts[why] += 1
        await self.end()

    async def _bring_to_end(self, record: RankingRecord) -> None:
        """Whatever happens, the ranking ends or waits again; it is never left behind."""
        spans = RankingSpans(record.labels, record.name, self.device)
        run = self.run = Run(self._backend, record, next(_numbers), spans)
        self._bell.ring(record.name)
        try:
            await self._attempts(run)
        except NotFoundError as error:
            await run.finish(RankingState.FAILED, error=ErrorRecord("DATASET_GONE", str(error)))
        except Exception:
            _log.exception("%s was given up", record.name)
            why = ErrorRecord("INTERNAL", "The server failed; its log says why.")
            await run.finish(RankingState.FAILED, error=why)
        finally:
            self.run = None
        if self._held > self._recycle_bytes:
            await self._retire("recycled")

    async def _attempts(self, run: Run) -> None:
        """Run on one worker after another, until there is an end."""
        while not run.why:
            try:
                worker = await self._ready_worker()
            except ServiceError as error:
                _log.warning("%s waits for a worker: %s", run.name, error)
                await asyncio.sleep(_RETRY_SECONDS)
                continue
            end = await run.on(worker)
            if end is not None:
                self._held = end.fields["bytes"]
                await self._conclude(run, end)
                return
            is_late = run.is_late
            await self._retire("killed" if run.why or is_late else "crashed")
            if is_late and not run.why:
                await self._stopped(run, "deadline")
                return
            if not run.why and await run.died():
                return
        await self._stopped(run, run.why)

    async def _conclude(self, run: Run, end: Message) -> None:
        fields = end.fields
        if end.kind == "stopped":
            await self._stopped(run, fields["why"])
        elif end.kind == "failed":
            error = ErrorRecord(fields["reason"], fields["message"])
            await run.finish(RankingState.FAILED, error=error)
        elif fields["document"]["candidates"]:
            await run.finish(RankingState.SUCCEEDED, document=fields["document"])
        else:
            first = fields["document"]["failures"][0]["message"]
            words = f"No candidate could be ranked; the first reason: {first}"
            error = ErrorRecord("NO_CANDIDATE_RANKED", words)
            await run.finish(RankingState.FAILED, document=fields["document"], error=error)

    async def _stopped(self, run: Run, why: str) -> None:
        if why == "drain":
            await run.release()
        elif why == "deadline":
            seconds = (run.record.deadline or time.time()) - run.record.create_time
            words = f"The ranking was not done within its {seconds:.0f} s; raise its time budget."
            await run.finish(RankingState.FAILED, error=ErrorRecord("DEADLINE_EXCEEDED", words))
        else:
            await run.finish(RankingState.CANCELLED)
