"""Bell: wakes those who wait for something to happen to a ranking."""

from __future__ import annotations

import asyncio
import contextlib
from collections import defaultdict

__all__ = ["Bell"]


class Bell:
    """Waiters by name, on one event loop; a ring is heard by those who wait when it comes."""

    def __init__(self) -> None:
        """With nobody waiting."""
        self._waiting: defaultdict[str, set[asyncio.Future[None]]] = defaultdict(set)

    def ring(self, name: str) -> None:
        """Wake all who wait for `name`."""
        for waiter in self._waiting.pop(name, ()):
            if not waiter.done():
                waiter.set_result(None)

    def listen(self, name: str) -> asyncio.Future[None]:
        """What the next ring completes. Take it before looking, so that none is missed."""
        waiter = asyncio.get_running_loop().create_future()
        self._waiting[name].add(waiter)
        waiter.add_done_callback(lambda done: self._leave(name, done))
        return waiter

    async def wait(self, waiter: asyncio.Future[None], seconds: float) -> bool:
        """Wait for a ring for at most `seconds`; whether there was one."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(waiter, seconds)
            return True
        return False

    def _leave(self, name: str, waiter: asyncio.Future[None]) -> None:
        if (others := self._waiting.get(name)) is not None:
            others.discard(waiter)
            if not others:
                del self._waiting[name]
