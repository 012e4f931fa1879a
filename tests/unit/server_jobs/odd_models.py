"""Models that are slow, die, hang or leak: `odd:NAME?...`, where `register` has been called."""

from __future__ import annotations

import ctypes
import gc
import hashlib
import os
import signal
import time
from pathlib import Path

import numpy as np

from transferscore.encoders.encoder import Encoding
from transferscore.encoders.registry import ADAPTERS, Adapter

OPTIONS = ("calls", "columns", "deaths", "die", "hang", "held", "seconds", "weights")
LEAKED = []


def register():
    """Make `odd:` known. The table of adapters cannot be written to; what it shows can."""
    odd = Adapter("odd", f"{__name__}:OddEncoder", options=OPTIONS)
    gc.get_referents(ADAPTERS)[0]["odd"] = odd


def forget():
    """Take `odd:` away: other tests compare the list of known schemes."""
    gc.get_referents(ADAPTERS)[0].pop("odd", None)


class OddEncoder:
    """The first columns of each row.

    Options: `columns`; `seconds` for each batch; `calls`, a file that gets a line a batch; `die`, a
    file that gets a byte for each death until there are `deaths`; `hang` in native code; `held`,
    bytes that are never given back; `weights`, bytes that are until it is released.
    """

    def __init__(self, uri, name):
        self.name = name
        self._uri = uri
        self._number = lambda key, default: float(uri.options.get(key, default))
        self._is_loaded, self._weights = False, b""

    @classmethod
    def from_uri(cls, uri, *, device, name):  # noqa: ARG003 -- as adapters have it
        return cls(uri, name)

    def digest(self):
        return hashlib.sha256(f"{self._uri.path} {self._number('columns', 6)}".encode()).hexdigest()

    def cost(self, sample):  # noqa: ARG002 -- as encoders have it
        return 1

    def prepare(self, samples):
        return np.stack(samples)

    def forward(self, batch):
        options = self._uri.options
        if "calls" in options:
            loaded = "kept" if self._is_loaded else "loaded"
            with Path(options["calls"]).open("a") as calls:
                calls.write(f"{self._uri.path} {loaded} {len(batch)} {os.getpid()}\n")
        self._is_loaded = True
        self._weights = bytearray(b"x") * int(self._number("weights", 0))
        time.sleep(self._number("seconds", 0))
        if "hang" in options:
            ctypes.PyDLL(None).sleep(600)  # the interpreter's lock is held all the while
        if "held" in options:
            LEAKED.append(bytearray(b"x") * int(self._number("held", 0)))
        if "die" in options:
            self._die(Path(options["die"]), self._number("deaths", 1))
        return Encoding(batch[:, : int(self._number("columns", 6))].astype(np.float32))

    def release(self):
        self._is_loaded, self._weights = False, b""

    @staticmethod
    def _die(file, deaths):
        if not file.exists() or file.stat().st_size < deaths:
            with file.open("a") as told:
                told.write("x")
            os.kill(os.getpid(), signal.SIGKILL)
