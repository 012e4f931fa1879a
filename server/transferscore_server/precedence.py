"""Precedence: who goes first where cores are few."""

from __future__ import annotations

import os
import sys

__all__ = ["answer_soon", "give_way"]

_NICENESS = 10
_TURN_SECONDS = 0.0005


def give_way() -> None:
    """Let the front, which answers everybody, go before this process, which computes for one."""
    os.nice(_NICENESS)


def answer_soon() -> None:
    """Have other threads of this process, which ask the store, yield soon to the event loop.

    By default one of them may go on for 5 ms each time, and an answer takes several turns.
    """
    sys.setswitchinterval(_TURN_SECONDS)
