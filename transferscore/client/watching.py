"""What a server says of a ranking, as the events that `rank()` gives to `on_event`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from transferscore.events import (
    CandidateDone,
    CandidateFailed,
    CandidateStarted,
    Event,
    SamplesEncoded,
)

__all__ = ["Watcher"]


class Watcher:
    """Follows one ranking.

    Attributes:
        sequence: Number of the latest event, to go on from.
        final: The ranking once it has ended.
    """

    def __init__(self, on_event: Callable[[Event], None] | None) -> None:
        """Tell `on_event`, if there is one."""
        self._tell = on_event or (lambda _: None)
        self._started: set[str] = set()
        self._total = 0
        self.sequence = 0
        self.final: Any = None

    def take(self, message: Any) -> None:
        """Take one message of WatchRanking."""
        self.sequence = max(self.sequence, message.sequence)
        kind = message.WhichOneof("event")
        if kind == "progress":
            self._progress(message.progress)
        elif kind == "candidate":
            row = message.candidate
            self._start(row.model)
            seconds = row.elapsed.ToNanoseconds() / 1e9
            predicted = row.predicted
            self._tell(CandidateDone(row.model, predicted.metric, predicted.value, seconds))
        elif kind == "failure":
            row = message.failure
            self._start(row.model)
            self._tell(CandidateFailed(row.model, row.error, row.message))
        elif kind == "final":
            self.final = message.final

    def _progress(self, progress: Any) -> None:
        self._total = max(self._total, progress.candidates_total)
        if progress.current_model:
            self._start(progress.current_model)
            done, total = progress.samples_done, progress.samples_total
            if total:
                self._tell(SamplesEncoded(progress.current_model, done, total, 0))

    def _start(self, model: str) -> None:
        if model not in self._started:
            self._started.add(model)
            position = len(self._started)
            self._tell(CandidateStarted(model, position, max(self._total, position)))
