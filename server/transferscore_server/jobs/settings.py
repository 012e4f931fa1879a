"""JobSettings: what the scheduler is started with."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from transferscore.errors import InputError

__all__ = ["JobSettings", "found_devices"]

_DEVICE = re.compile(r"cpu|cuda:\d+")


@dataclass(frozen=True, slots=True)
class JobSettings:
    """What the scheduler is started with.

    Attributes:
        data_dir: Folder of stored features and of this front's lock.
        devices: One worker each: "cpu", "cuda:0". Or "auto": every GPU, else the CPU.
        owner: What names this front among those that share a database; its rankings are its own
            again after a restart. One front at a time may have a name.
        offline: Whether models come from this machine only.
        model_bytes: Bytes that a worker may hold before it gives up loaded models; 0 is a quarter
            of the machine's.
        recycle_bytes: Bytes that a worker may hold between rankings before it is replaced; 0 is
            half of the machine's.
        grace_seconds: How long a worker that is told to stop has, before it is killed.
        max_deaths: Workers that may die at one candidate before it counts as failed.
        lease_seconds: How long a ranking stays with a front of which nothing is heard.
        progress_seconds: Shortest time between two progress events of one ranking.
        poll_seconds: How often to look for what other fronts have changed.
        preload: Modules that every worker imports first, such as one that registers an adapter.
        device_nodes: Where the system's device files are.
    """

    data_dir: Path
    devices: tuple[str, ...] = ("auto",)
    owner: str = "front"
    offline: bool = True
    model_bytes: int = 0
    recycle_bytes: int = 0
    grace_seconds: float = 4.0
    max_deaths: int = 3
    lease_seconds: float = 30.0
    progress_seconds: float = 0.5
    poll_seconds: float = 1.0
    preload: tuple[str, ...] = ()
    device_nodes: Path = Path("/dev")


def found_devices(settings: JobSettings) -> tuple[str, ...]:
    """The devices by name; "auto" is found out without loading any CUDA library.

    Raises:
        InputError: One is neither "auto", "cpu" nor "cuda:N".
    """
    devices: list[str] = []
    for name in settings.devices:
        if name != "auto" and _DEVICE.fullmatch(name) is None:
            raise InputError(f"A device must be `auto`, `cpu` or `cuda:N`; got {name!r}.")
        devices += _auto(settings.device_nodes) if name == "auto" else [name]
    return tuple(dict.fromkeys(devices))


def _auto(nodes: Path) -> list[str]:
    count = sum(1 for node in nodes.glob("nvidia[0-9]*"))
    return [f"cuda:{index}" for index in range(count)] or ["cpu"]
