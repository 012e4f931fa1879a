"""A server of one's own for tests: the command, in a process of its own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

ROOT = Path(__file__).parents[2]


class Served:
    """A running `transferscore serve`."""

    def __init__(
        self, folder: Path, flags: Sequence[str] = (), environment: Mapping[str, str] | None = None
    ) -> None:
        self.log = folder / "server.log"
        paths = [str(ROOT), str(ROOT / "server"), os.environ.get("PYTHONPATH", "")]
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [
                    *(sys.executable, "-m", "transferscore.cli.main", "serve"),
                    *("--listen", "127.0.0.1:0", "--data-dir", str(folder / "data")),
                    *("--device", "cpu", "--log-level", "warning", *flags),
                ],
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                env=os.environ | {"PYTHONPATH": os.pathsep.join(paths)} | dict(environment or {}),
            )
        line = self.process.stdout.readline()
        assert "serving at" in line, self.log.read_text()
        self.addresses = line.rpartition("serving at ")[2].strip().split(", ")
        self.address = self.addresses[0]

    def stop(self, seconds: float = 30.0) -> int:
        """SIGTERM, and the exit code."""
        self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(seconds)
        finally:
            self.process.kill()
            self.process.wait()
            self.process.stdout.close()

    def __enter__(self) -> Served:
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.stop()
        else:
            self.process.stdout.close()


def until(condition, seconds: float = 20.0) -> None:
    """Wait for something that is about to happen."""
    ends = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < ends, "it did not happen"
        time.sleep(0.05)
