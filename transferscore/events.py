"""What a run says of its progress, as values for `on_event`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

__all__ = ["CandidateDone", "CandidateFailed", "CandidateStarted", "Event", "SamplesEncoded"]


@dataclass(frozen=True, slots=True)
class CandidateStarted:
    """A model's turn has come: number `position` (from 1) of `total`."""

    model: str
    position: int
    total: int


@dataclass(frozen=True, slots=True)
class SamplesEncoded:
    """`done` of `total` samples have features; `stored` of them were in the store already."""

    model: str
    done: int
    total: int
    stored: int


@dataclass(frozen=True, slots=True)
class CandidateDone:
    """A model is scored: the predicted metric, and how long it took in all."""

    model: str
    metric: str
    value: float
    seconds: float


@dataclass(frozen=True, slots=True)
class CandidateFailed:
    """A model could not be ranked, and why; the run goes on."""

    model: str
    error: str
    message: str


Event: TypeAlias = CandidateStarted | SamplesEncoded | CandidateDone | CandidateFailed
