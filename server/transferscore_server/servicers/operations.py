"""google.longrunning.Operations: a ranking as any client of long-running operations knows it."""

from __future__ import annotations

import asyncio
import time
from typing import Any

from google.longrunning import operations_pb2
from google.protobuf import empty_pb2

from transferscore_server.errors import invalid
from transferscore_server.jobs.jobs import Jobs
from transferscore_server.names import parse_parent
from transferscore_server.paging import page_size
from transferscore_server.settings import Settings
from transferscore_server.store.records import PageRequest
from transferscore_server.store.store import Store
from transferscore_server.values.rankings import operation_message, ranking_name
from transferscore_server.values.times import seconds_of

__all__ = ["OperationsServicer"]

# How long a caller that waits takes to notice that the server stops.
_SLICE_SECONDS = 1.0


class OperationsServicer:
    """Operations: the same rows as rankings, in another view."""

    def __init__(
        self, store: Store, jobs: Jobs, settings: Settings, stopping: asyncio.Event
    ) -> None:
        """Read from `store`, cancel and wait by `jobs` until the server is `stopping`."""
        self._store, self._jobs, self._settings = store, jobs, settings
        self._stopping = stopping

    async def GetOperation(self, request: Any, _context: Any = None) -> Any:
        """One operation."""
        return await self._operation(ranking_name(request.name))

    async def ListOperations(self, request: Any, _context: Any = None) -> Any:
        """One page of the operations of `projects/{project}`."""
        project = parse_parent(request.name, "name")
        if request.filter:
            raise invalid("filter", "is not supported here; leave it empty.")
        size = page_size(request.page_size, self._settings.limits.max_page_size)
        page = await asyncio.to_thread(
            self._store.list_rankings, project, PageRequest(size, request.page_token)
        )
        return operations_pb2.ListOperationsResponse(
            operations=[operation_message(record) for record in page.records],
            next_page_token=page.next_token,
        )

    async def CancelOperation(self, request: Any, _context: Any = None) -> Any:
        """Nothing; the ranking is about to stop."""
        await self._jobs.cancel(ranking_name(request.name))
        return empty_pb2.Empty()

    async def DeleteOperation(self, request: Any, _context: Any = None) -> Any:
        """Nothing; the ranking is forgotten."""
        await asyncio.to_thread(self._store.delete_ranking, ranking_name(request.name))
        return empty_pb2.Empty()

    async def WaitOperation(self, request: Any, _context: Any = None) -> Any:
        """The operation once it is done, or as it stands after the timeout."""
        # A little less than a call may last, so that the answer still comes through.
        most = self._settings.limits.max_unary_seconds * 0.9
        seconds = seconds_of(request.timeout) if request.HasField("timeout") else most
        name = ranking_name(request.name)
        ends = time.monotonic() + max(0.0, min(seconds, most))
        while True:
            left = min(_SLICE_SECONDS, ends - time.monotonic())
            record = await self._jobs.wait(name, max(0.0, left))
            if record.state.is_final or self._stopping.is_set() or time.monotonic() >= ends:
                return await self._operation(name)

    async def _operation(self, name: str) -> Any:
        record = await asyncio.to_thread(self._store.get_ranking, name)
        finished = await asyncio.to_thread(self._store.candidates, name)
        return operation_message(record, finished)
