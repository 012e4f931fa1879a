"""DeviceStatus: what a device's worker does, for health checks and server information."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["DeviceStatus"]


@dataclass(frozen=True, slots=True)
class DeviceStatus:
    """One device and its worker.

    Attributes:
        device: "cpu", "cuda:0".
        is_ready: Whether its worker has started and answers.
        ranking: Name of the ranking in work; "" for none.
        pid: The worker's process; None while there is none.
        memory_bytes: What the worker last said it holds on its host.
        restarts: Workers started on this device beyond the first, by reason: "crashed", "killed",
            "recycled".
    """

    device: str
    is_ready: bool
    ranking: str
    pid: int | None
    memory_bytes: int
    restarts: dict[str, int]
