"""Behind: work on one message of a stream in a thread, while the next one is received."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from types import TracebackType
from typing import Any

__all__ = ["Behind"]


class Behind:
    """Calls in a thread, one after another; the caller is at most one of them ahead.

    As an asynchronous context manager it ends with the last call: nothing is written any more once
    a stream is over, however it ended.
    """

    def __init__(self) -> None:
        self._work: asyncio.Future[Any] | None = None

    async def __aenter__(self) -> Behind:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._work is not None:
            # The stream has failed already, for a reason that its caller is told.
            with contextlib.suppress(Exception):
                await self._work

    async def call(self, function: Callable[..., Any], *arguments: Any) -> None:
        """Begin a call, once the one before it is done.

        Raises:
            Exception: Whatever the call before it raised.
        """
        await self.result()
        self._work = asyncio.ensure_future(asyncio.to_thread(function, *arguments))

    async def result(self) -> Any:
        """What the latest call gave; None before the first.

        Raises:
            Exception: Whatever it raised.
        """
        # A thread runs on when what awaits it is cancelled: the end waits for it still.
        return None if self._work is None else await asyncio.shield(self._work)
