"""A front and its worker, killed with SIGKILL again and again, at moments drawn at random."""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import selectors
import signal
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from transferscore_server.store.records import RequestKey

from tests.unit.server_jobs.front import front, ranking

N_CANDIDATES = 4
PATIENCE_SECONDS = 120.0


async def serve(folder: Path) -> None:
    """A front that takes the names of rankings by lines, and says when each is accepted."""
    loop = asyncio.get_running_loop()
    async with front(folder, max_deaths=10**9) as (scheduler, _):
        say("ready")
        while line := await loop.run_in_executor(None, sys.stdin.readline):
            name = line.strip()
            if name == "pid":
                run = scheduler._loops[0].run
                position = -1 if run is None else run.position
                say(f"pid {scheduler.devices()[0].pid or 0} {position}")
                continue
            record, _ = await scheduler.submit(
                ranking(name, *uris_of(name)), RequestKey(name, f"digest of {name}")
            )
            say(f"accepted {record.name}")


def say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def uris_of(name: str) -> list[str]:
    return [f"odd:{name}-{i}?columns={i + 2}&seconds=0.02" for i in range(N_CANDIDATES)]


@dataclass(slots=True)
class Killed:
    """A front in a process of its own, started anew after each death."""

    folder: Path
    accepted: dict[str, str] = field(default_factory=dict)
    kills: Counter[str] = field(default_factory=Counter)
    process: subprocess.Popen[str] | None = None

    def start(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, __file__, str(self.folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
        )

    def ask(self, line: str) -> list[str] | None:
        """The front's answer; None if it is dead. Starts one where there is none."""
        if self.process is None:
            self.start()
            if self._line() is None:
                return None
        with contextlib.suppress(BrokenPipeError):
            self.process.stdin.write(line + "\n")
            self.process.stdin.flush()
        return self._line()

    def _line(self) -> list[str] | None:
        with selectors.DefaultSelector() as selector:
            selector.register(self.process.stdout, selectors.EVENT_READ)
            if not selector.select(PATIENCE_SECONDS):
                raise TimeoutError("the front does not answer")
        return self.process.stdout.readline().split() or None

    def submit(self, name: str) -> None:
        """Ask until the front has said that it is accepted: a caller with a retry policy."""
        while (answer := self.ask(name)) is None:
            self.bury()
        self.accepted[name] = answer[1]

    def kill_front(self, whose: str = "front") -> None:
        self.process.kill()
        self.kills[whose] += 1
        self.bury()

    def wait_for_a_candidate(self) -> None:
        """Until the worker is at one, for a kill that comes in the middle of it."""
        ends = time.monotonic() + 3.0
        while (answer := self.ask("pid")) is not None and answer[2] == "-1":
            if time.monotonic() > ends:
                return
            time.sleep(0.005)
        if answer is None:
            self.bury()

    def kill_worker(self, moment: float) -> None:
        """Kill the worker some time after it is there."""
        while (answer := self.ask("pid")) is not None and answer[1] == "0":
            time.sleep(0.02)
        if answer is None:
            self.bury()
            return
        time.sleep(moment)
        with contextlib.suppress(ProcessLookupError):
            os.kill(int(answer[1]), signal.SIGKILL)
            self.kills["worker"] += 1

    def bury(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.communicate()
            self.process = None


def kill_loop(folder: Path, n_kills: int, n_rankings: int, seed: int) -> Killed:
    """Submit rankings while front and worker are killed `n_kills` times; then let all end."""
    draw, killed = random.Random(seed), Killed(folder)
    names = [f"r{i}" for i in range(n_rankings)]
    try:
        while (done := killed.kills.total()) < n_kills:
            for name in names[len(killed.accepted) : 1 + done * n_rankings // n_kills]:
                killed.submit(name)
            kill_somebody(killed, draw)
        for name in names[len(killed.accepted) :]:
            killed.submit(name)
        wait_for_the_end(killed)
    finally:
        killed.bury()
    return killed


def kill_somebody(killed: Killed, draw: random.Random) -> None:
    chance, moment = draw.random(), draw.uniform(0.0, 0.5)
    if chance >= 0.2 and draw.random() < 0.6:
        killed.wait_for_a_candidate()
        moment /= 10
    if chance < 0.2:
        killed.bury()
        killed.start()
        time.sleep(moment)
        killed.kill_front("starting front")
    elif chance < 0.5:
        killed.ask("pid")
        time.sleep(2 * moment)
        killed.kill_front()
    else:
        killed.kill_worker(moment)


def wait_for_the_end(killed: Killed) -> None:
    ends = time.monotonic() + PATIENCE_SECONDS
    while left := unfinished(killed.folder):
        if killed.ask("pid") is None or time.monotonic() > ends:
            raise TimeoutError(f"not ended: {left}")
        time.sleep(0.05)


def unfinished(folder: Path) -> list[str]:
    with contextlib.closing(sqlite3.connect(folder / "store.db")) as database:
        query = "SELECT name FROM rankings WHERE end_time IS NULL"
        return [row[0] for row in database.execute(query)]


if __name__ == "__main__":
    asyncio.run(serve(Path(sys.argv[1])))
