"""A worker process: takes rankings from the front one by one, and dies with it.

Started as `python -m transferscore_server.workers.process FD OPTIONS`, where FD is its end of a
socket pair and OPTIONS a JSON object.
"""

from __future__ import annotations

import contextlib
import ctypes
import importlib
import json
import os
import queue
import signal
import socket
import sys
import threading
import time
from pathlib import Path
from typing import Any

from transferscore.wording import one_line
from transferscore_server.precedence import give_way
from transferscore_server.workers.memory import give_back, held_bytes, machine_bytes
from transferscore_server.workers.messages import Channel, Message

__all__ = ["main"]

_PR_SET_PDEATHSIG = 1


class Stopped(BaseException):
    """Ends a ranking from within. Not an `Exception`: a candidate that fails must not catch it."""


class Worker:
    """One worker's state: the run in work, and which one is to stop."""

    def __init__(self, channel: Channel, options: dict[str, Any]) -> None:
        """Serve the front at the other end of `channel`."""
        from transferscore_server.workers.shelf import Shelf

        self._channel = channel
        self._options = options
        self._shelf = Shelf(options["model_bytes"] or machine_bytes() // 4)
        self._inbox: queue.SimpleQueue[Message] = queue.SimpleQueue()
        self._finished: dict[int, Message] = {}
        self._current: int | None = None
        self._stop: tuple[int, str] | None = None
        self._sending = False

    def serve(self) -> None:
        """Run what the front sends, for as long as there is a front."""
        signal.signal(signal.SIGUSR1, lambda *_: self._stop_here())
        threading.Thread(target=self._listen, name="listen", daemon=True).start()
        self._channel.send(Message("ready", {"bytes": held_bytes()}))
        # What the first ranking needs is loaded while the worker waits for it.
        for module in (*self._options["preload"], "transferscore_server.workers.running"):
            importlib.import_module(module)
        give_way()
        while True:
            message = self._inbox.get()
            if message.kind == "finished":
                self._finished[message.fields["position"]] = message
            else:
                self._channel.send(self._run(dict(message.fields)))

    def _listen(self) -> None:
        while (message := self._channel.receive()) is not None:
            if message.kind == "stop":
                self._ask_to_stop(message.fields["run"], message.fields["why"])
            else:
                self._inbox.put(message)
        # Nobody is left to work for, and no cleaning up is needed: all that counts is committed.
        os._exit(0)

    def _run(self, asked: dict[str, Any]) -> Message:
        """Work on a ranking; the message that tells its end."""
        run, alarm = asked["run"], self._alarm(asked)
        try:
            try:
                self._current = run
                self._stop_here()
                end = Message("done", {"document": self._document(asked)})
            finally:
                self._current = None
        except Stopped as stopped:
            end = Message("stopped", {"why": str(stopped)})
            self._shelf.clear()
        except Exception as error:
            fields = {"reason": type(error).__name__, "message": one_line(error)}
            end = Message("failed", fields)
        alarm.cancel()
        self._finished = {}
        give_back()
        return Message(end.kind, {**end.fields, "run": run, "bytes": held_bytes()})

    def _document(self, asked: dict[str, Any]) -> dict[str, Any]:
        from transferscore_server.workers.keeper import WorkerKeeper
        from transferscore_server.workers.running import run_ranking

        keeper = WorkerKeeper(self._finished, self._shelf, self._send)
        asked |= {key: self._options[key] for key in ("device", "features")}
        return run_ranking(asked, keeper, self._send)

    def _alarm(self, asked: dict[str, Any]) -> threading.Timer:
        """What ends a run at its deadline."""
        deadline = asked["deadline"]
        seconds = threading.TIMEOUT_MAX if deadline is None else max(0.0, deadline - time.time())
        stop = (asked["run"], "deadline")
        alarm = threading.Timer(min(seconds, threading.TIMEOUT_MAX), self._ask_to_stop, stop)
        alarm.daemon = True
        alarm.start()
        return alarm

    def _send(self, message: Message) -> None:
        """Send whole, and only then stop."""
        self._sending = True
        try:
            self._channel.send(message)
        finally:
            self._sending = False
        self._stop_here()

    def _ask_to_stop(self, run: int, why: str) -> None:
        self._stop = (run, why)
        signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGUSR1)

    def _stop_here(self) -> None:
        """In the main thread, between two steps of Python: end the run where it is."""
        # One that came too late, for a run that has ended, ends no other.
        if self._stop is not None and self._stop[0] == self._current and not self._sending:
            self._current = None
            raise Stopped(self._stop[1])


def _die_with(parent: int) -> None:
    """Have the kernel end this process with its parent, even where it never gets to read."""
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(0)


def _be_chosen_first() -> None:
    """Let a machine that runs out of memory end this process, not the front."""
    with contextlib.suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("500")


def main(arguments: list[str]) -> None:
    """Run a worker: `FD OPTIONS`."""
    options = json.loads(arguments[1])
    _die_with(options["parent"])
    _be_chosen_first()
    # The terminal's interrupt is for the front, which ends its workers itself.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # Libraries that print must not be taken for anything else.
    os.dup2(2, 1)
    channel = Channel(socket.socket(fileno=int(arguments[0])))
    with contextlib.suppress(ConnectionError):
        Worker(channel, options).serve()


if __name__ == "__main__":
    main(sys.argv[1:])
