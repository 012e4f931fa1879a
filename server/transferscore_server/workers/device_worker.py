"""DeviceWorker: the front's handle of one worker process."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import socket
import sys
from dataclasses import dataclass
from pathlib import Path

from transferscore_server.store.errors import ServiceError
from transferscore_server.workers.environment import worker_environment
from transferscore_server.workers.messages import Message, read_message, write_message

__all__ = ["DeviceWorker", "WorkerOptions", "WorkerStartError", "start_worker"]

_START_SECONDS = 120.0


class WorkerStartError(ServiceError):
    """A worker process could not be started."""

    reason = "WORKER_START"


@dataclass(frozen=True, slots=True)
class WorkerOptions:
    """What every worker is started with.

    Attributes:
        features: Folder of stored features.
        offline: Whether nothing is fetched; the worker then has no token and no proxy.
        n_threads: Threads for matrix products.
        model_bytes: Bytes that a worker may hold before it gives up models; 0 is a quarter of the
            machine's.
        preload: Modules that a worker imports first, such as one that registers an adapter.
    """

    features: Path
    offline: bool = True
    n_threads: int = 1
    model_bytes: int = 0
    preload: tuple[str, ...] = ()


class DeviceWorker:
    """A running worker process."""

    def __init__(
        self,
        process: asyncio.subprocess.Process,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> None:
        """Made by `start_worker`."""
        self._process = process
        # A signal by number could reach another process that has the number by then.
        self._handle = os.pidfd_open(process.pid)
        self._reader = reader
        self._writer = writer

    @property
    def pid(self) -> int:
        """The process."""
        return self._process.pid

    @property
    def is_alive(self) -> bool:
        """Whether the process runs, as far as is known."""
        return self._process.returncode is None

    async def send(self, message: Message) -> None:
        """Send a message; to a worker that has died, nothing."""
        await write_message(self._writer, message)

    async def receive(self) -> Message | None:
        """Its next message; None once it has died."""
        return await read_message(self._reader)

    def kill(self) -> None:
        """Kill it; `receive` gives None soon."""
        with contextlib.suppress(ProcessLookupError, OSError):
            signal.pidfd_send_signal(self._handle, signal.SIGKILL)

    async def end(self) -> None:
        """Kill it and wait until it is gone; its memory and its device are free then."""
        self.kill()
        await self._process.wait()
        os.close(self._handle)
        self._writer.close()
        with contextlib.suppress(ConnectionError):
            await self._writer.wait_closed()


async def start_worker(device: str, options: WorkerOptions) -> DeviceWorker:
    """Start the worker of a device, and wait until it is ready.

    To be called from the thread of the front's main loop: the kernel ends a worker together with
    the thread that started it.

    Raises:
        WorkerStartError: It cannot be started, or does not answer.
    """
    ours, theirs = socket.socketpair()
    about = {
        "device": device.partition(":")[0],
        "features": str(options.features),
        "model_bytes": options.model_bytes,
        "parent": os.getpid(),
        "preload": options.preload,
    }
    command = ["-m", "transferscore_server.workers.process", str(theirs.fileno())]
    environment = worker_environment(
        os.environ, device, offline=options.offline, n_threads=options.n_threads
    )
    with theirs:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            *command,
            json.dumps(about),
            stdin=asyncio.subprocess.DEVNULL,
            env=environment,
            pass_fds=[theirs.fileno()],
        )
    reader, writer = await asyncio.open_connection(sock=ours)
    worker = DeviceWorker(process, reader, writer)
    try:
        ready = await asyncio.wait_for(worker.receive(), _START_SECONDS)
    except TimeoutError:
        ready = None
    except asyncio.CancelledError:
        await worker.end()
        raise
    if ready is None:
        await worker.end()
        raise WorkerStartError(
            f"The worker of {device} did not start (exit code {process.returncode}); "
            "its own output says why."
        )
    return worker
