"""What a run shows while it goes on: a bar on a terminal, plain lines otherwise, on stderr."""

from __future__ import annotations

import sys
import time

from transferscore.events import (
    CandidateDone,
    CandidateFailed,
    CandidateStarted,
    Event,
    SamplesEncoded,
)

__all__ = ["Progress"]

_BAR_WIDTH = 24
_REDRAW_SECONDS = 0.1


class Progress:
    """Shows events; a context manager that leaves the terminal's line clean."""

    def __init__(self, quiet: bool) -> None:
        """Show nothing if `quiet`."""
        self._quiet = quiet
        self._on_terminal = sys.stderr.isatty()
        self._position = ""
        self._drawn = 0.0

    def __enter__(self) -> Progress:
        return self

    def __exit__(self, *_: object) -> None:
        if self._on_terminal and not self._quiet:
            self._clear()

    def __call__(self, event: Event) -> None:
        """Show one event."""
        if self._quiet:
            return
        if isinstance(event, CandidateStarted):
            self._position = f"[{event.position}/{event.total}]"
        elif isinstance(event, SamplesEncoded):
            self._bar(event)
        else:
            self._line(event)

    def _line(self, event: CandidateDone | CandidateFailed) -> None:
        if isinstance(event, CandidateDone):
            value = f"{event.value:.1%}" if event.metric == "accuracy" else f"{event.value:.3f}"
            outcome = f"{event.metric} {value} in {event.seconds:.1f} s"
        else:
            outcome = f"failed: {event.message}"
        if self._on_terminal:
            self._clear()
        print(f"{self._position} {event.model}: {outcome}", file=sys.stderr, flush=True)

    def _bar(self, event: SamplesEncoded) -> None:
        now = time.monotonic()
        is_last = event.done == event.total
        if not self._on_terminal or (now - self._drawn < _REDRAW_SECONDS and not is_last):
            return
        self._drawn = now
        filled = _BAR_WIDTH * event.done // max(1, event.total)
        bar = "█" * filled + "·" * (_BAR_WIDTH - filled)
        model = event.model[-40:]
        text = f"\r{self._position} {bar} {event.done}/{event.total} {model}\x1b[K"
        print(text, end="", file=sys.stderr, flush=True)

    def _clear(self) -> None:
        print("\r\x1b[K", end="", file=sys.stderr, flush=True)
