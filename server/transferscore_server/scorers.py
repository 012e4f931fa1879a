"""Scorer processes: numbers are computed there, so that the event loop always answers.

A process that works for a caller who has gone is ended after a grace: a thread could not be.
"""

from __future__ import annotations

import asyncio
import os
import pickle
import resource
import signal
import socket
import struct
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from typing import Any

from transferscore_server.errors import exhausted
from transferscore_server.precedence import give_way

__all__ = ["ScorerPool"]

_SPAWN = get_context("spawn")
_GRACE_SECONDS = 1.0
_ATTEMPTS = 2
# Above this, making a message or reading one would keep the event loop from answering.
_LARGE_BYTES = 2**20
_LONGEST_SHORT = 2**31 - 1


@dataclass(slots=True)
class _Scorer:
    """One process and our end of its pipe."""

    process: BaseProcess
    socket: socket.socket
    pipe: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None
    is_abandoned: bool = False


class ScorerPool:
    """Runs functions in spawned processes, one at a time in each."""

    def __init__(self, size: int, *, memory_bytes: int = 0, max_waiting: int = 256) -> None:
        """Say how many processes; `start` starts them.

        Args:
            size: Number of processes.
            memory_bytes: Address space of one process; 0 is no limit.
            max_waiting: Calls that may wait for a process; further ones are refused.
        """
        self._size, self._memory, self._max_waiting = size, memory_bytes, max_waiting
        # More threads than cores only wait for one another: BLAS threads do so spinning.
        self._blas_threads = max(1, (os.cpu_count() or 1) // size)
        self._threads = ThreadPoolExecutor(size, thread_name_prefix="scorer")
        self._idle: asyncio.LifoQueue[_Scorer] = asyncio.LifoQueue()
        self._waiting = 0
        self._closed = False
        self._pids: set[int] = set()

    @property
    def waiting(self) -> int:
        """Calls that wait for a process."""
        return self._waiting

    async def start(self) -> None:
        """Start the processes and have each import what it needs."""
        for scorer in await asyncio.gather(*(self._thread(self._spawn) for _ in range(self._size))):
            self._idle.put_nowait(scorer)

    def close(self) -> None:
        """End the processes, those at work included."""
        self._closed = True
        for pid in list(self._pids):
            _kill(pid)
        self._threads.shutdown(wait=True, cancel_futures=True)

    async def run(self, function: Callable[..., Any], *arguments: Any) -> Any:
        """What `function(*arguments)` gives in a scorer process.

        Raises:
            CallError: Too many calls wait already, or the process died twice over this one.
            Exception: Whatever the function raised.
        """
        if self._waiting >= self._max_waiting:
            raise exhausted("BUSY", f"{self._waiting} calls wait for a scorer already.", 0.5)
        self._waiting += 1
        try:
            scorer = await self._idle.get()
        finally:
            self._waiting -= 1
        work = asyncio.ensure_future(self._work(scorer, function, arguments))
        try:
            succeeded, result = await asyncio.shield(work)
        except asyncio.CancelledError:
            asyncio.get_running_loop().call_later(_GRACE_SECONDS, self._abandon, work, scorer)
            raise
        if not succeeded:
            raise result
        return result

    def _abandon(self, work: asyncio.Future[Any], scorer: _Scorer) -> None:
        if not work.done():
            scorer.is_abandoned = True
            scorer.process.kill()

    async def _work(
        self, scorer: _Scorer, function: Callable[..., Any], arguments: tuple[Any, ...]
    ) -> tuple[bool, Any]:
        """Whether it succeeded, and the result or exception; the scorer is idle again after."""
        try:
            for _ in range(_ATTEMPTS):
                reply = await self._exchange(scorer, function, arguments)
                if reply is not None:
                    return bool(reply[0]), reply[1]
                if scorer.is_abandoned:
                    break
                scorer = await self._replaced(scorer)
            return False, _died()
        finally:
            if scorer.is_abandoned:
                scorer = await self._replaced(scorer)
            self._idle.put_nowait(scorer)

    async def _exchange(
        self, scorer: _Scorer, function: Callable[..., Any], arguments: tuple[Any, ...]
    ) -> tuple[bool, Any] | None:
        """Whether it succeeded, and the result or exception; None where the process has ended."""
        size = sum(_size(each) for each in arguments)
        job = (function, arguments)
        request = await self._aside(size, pickle.dumps, job, pickle.HIGHEST_PROTOCOL)
        try:
            # Each system call is a chance for another thread to hold up the loop: one reader stays
            # registered, and small messages take one call each way.
            if scorer.pipe is None:
                scorer.pipe = await asyncio.open_connection(sock=scorer.socket, limit=_LARGE_BYTES)
            reader, writer = scorer.pipe
            await _send_framed(writer, request)
            reply = await _receive_framed(reader)
        except (EOFError, OSError):
            return None
        succeeded, result = await self._aside(len(reply), pickle.loads, reply)
        return bool(succeeded), result

    async def _aside(self, size: int, function: Callable[..., Any], *arguments: Any) -> Any:
        """What the function gives; in a thread where it takes its time with so many bytes."""
        if size < _LARGE_BYTES:
            return function(*arguments)
        return await self._thread(function, *arguments)

    async def _thread(self, function: Callable[..., Any], *arguments: Any) -> Any:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, function, *arguments)

    def _spawn(self) -> _Scorer:
        ours, theirs = _SPAWN.Pipe()
        process = _SPAWN.Process(
            target=_serve, args=(theirs, self._memory, self._blas_threads), daemon=True
        )
        process.start()
        theirs.close()
        if process.pid is not None:
            self._pids.add(process.pid)
        ours.recv()
        pipe = socket.socket(fileno=os.dup(ours.fileno()))
        ours.close()
        pipe.setblocking(False)
        return _Scorer(process, pipe)

    async def _replaced(self, scorer: _Scorer) -> _Scorer:
        if scorer.pipe is None:
            scorer.socket.close()
        else:
            scorer.pipe[1].close()
        fresh: _Scorer = await self._thread(self._replace, scorer)
        return fresh

    def _replace(self, scorer: _Scorer) -> _Scorer:
        scorer.process.kill()
        scorer.process.join()
        self._pids.discard(scorer.process.pid or 0)
        if self._closed:
            raise asyncio.CancelledError
        return self._spawn()


async def _send_framed(writer: asyncio.StreamWriter, content: bytes) -> None:
    """Send as `Connection.send_bytes` does, without a thread that would wait."""
    size = len(content)
    frame = struct.pack("!i", size) if size <= _LONGEST_SHORT else struct.pack("!iQ", -1, size)
    if size < _LARGE_BYTES:
        writer.write(frame + content)
    else:
        writer.write(frame)
        writer.write(content)
    await writer.drain()


async def _receive_framed(reader: asyncio.StreamReader) -> bytes:
    (size,) = struct.unpack("!i", await reader.readexactly(4))
    if size == -1:
        (size,) = struct.unpack("!Q", await reader.readexactly(8))
    return await reader.readexactly(size)


def _size(argument: Any) -> int:
    """About how many bytes an argument is."""
    if isinstance(argument, bytes | str):
        return len(argument)
    if isinstance(argument, Mapping):
        return sum(map(_size, argument.values()))
    if isinstance(argument, list | tuple):
        return sum(map(_size, argument), 64 * len(argument))
    return int(getattr(argument, "nbytes", 0))


def _died() -> Exception:
    return exhausted(
        "SCORER_DIED",
        f"The scorer process ended {_ATTEMPTS} times over this call, most likely for want of "
        "memory; send less, or stream it.",
    )


def _serve(pipe: Connection, memory_bytes: int, threads: int) -> None:
    """The life of a scorer process: it ends when our end of the pipe does."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # OpenMP is asked before it is loaded, the BLAS that may be loaded already after.
    os.environ["OMP_NUM_THREADS"] = str(threads)
    from threadpoolctl import threadpool_limits

    from transferscore.scores import registry  # noqa: F401 -- loaded now, not by the first call

    threadpool_limits(threads)
    if memory_bytes:
        resource.setrlimit(resource.RLIMIT_AS, (memory_bytes, memory_bytes))
    pipe.send(True)
    # Not before: the front waits for it to be ready.
    give_way()
    while (job := _received(pipe)) is not None:
        function, arguments = job
        try:
            reply = (True, function(*arguments))
        except Exception as error:
            reply = (False, error)
        _send(pipe, reply)


def _received(pipe: Connection) -> Any:
    try:
        return pipe.recv()
    except (EOFError, OSError):
        return None


def _send(pipe: Connection, reply: tuple[bool, Any]) -> None:
    try:
        pipe.send(reply)
    except (TypeError, AttributeError, ValueError, pickle.PicklingError) as error:
        # An exception of some library may not be able to travel; its words can.
        pipe.send((False, RuntimeError(f"{reply[1]!r} ({error})")))


def _kill(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return
