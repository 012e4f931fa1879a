"""The jobs' interface: rankings that are accepted, run, watched and stopped."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Protocol

from transferscore_server.jobs.status import DeviceStatus
from transferscore_server.store.records import EventRecord, NewRanking, RankingRecord, RequestKey

__all__ = ["Jobs"]


class Jobs(Protocol):
    """Rankings in work, from the event loop; no call holds it up."""

    async def start(self) -> None:
        """Take up what an earlier life left, start the workers, and work from now on.

        Raises:
            StoreBusyError: The database is away.
        """
        ...

    async def submit(
        self, new: NewRanking, request: RequestKey | None = None
    ) -> tuple[RankingRecord, bool]:
        """Queue a ranking, committed before this returns. As `RankingStore.create_ranking`."""
        ...

    async def cancel(self, name: str) -> RankingRecord:
        """Ask for a ranking to stop. As `RankingStore.request_cancel`."""
        ...

    async def wait(self, name: str, timeout: float | None = None) -> RankingRecord:
        """The ranking once it has ended, or as it stands after `timeout` seconds.

        Raises:
            NotFoundError: There is none.
        """
        ...

    def watch(
        self, name: str, after: int = 0, heartbeat: float = 15.0
    ) -> AsyncIterator[EventRecord | None]:
        """Events after a sequence number as they come, to the ranking's end.

        None is given whenever nothing has happened for `heartbeat` seconds.

        Raises:
            NotFoundError: There is no such ranking.
        """
        ...

    def devices(self) -> tuple[DeviceStatus, ...]:
        """The devices and what their workers do."""
        ...

    async def drain(self, grace: float) -> None:
        """Take nothing new; after `grace` seconds put what still runs back, and stop the workers.

        Rankings that were put back go on when a front starts again.
        """
        ...
