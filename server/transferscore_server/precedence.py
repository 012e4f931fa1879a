"""Precedence: who goes first where cores are few."""

from __future__ import annotations

import os

__all__ = ["give_way"]

_NICENESS = 5


def give_way() -> None:
    """Let the front, which answers everybody, go before this process, which computes for one."""
    os.nice(_NICENESS)
