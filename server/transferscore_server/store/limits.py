"""StoreLimits: how much the store takes, and for how long it keeps it."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["StoreLimits"]


@dataclass(frozen=True, slots=True)
class StoreLimits:
    """How much the store takes, and for how long it keeps it.

    Attributes:
        queued_rankings: Rankings of all projects that may wait.
        queued_per_project: Rankings of one project that may wait.
        project_bytes: Bytes of all datasets of one project.
        request_seconds: For how long a request id is remembered.
        ranking_seconds: For how long a ranking is kept after its end.
    """

    queued_rankings: int = 64
    queued_per_project: int = 16
    project_bytes: int = 100 * 2**30
    request_seconds: float = 24 * 3600.0
    ranking_seconds: float = 30 * 24 * 3600.0
