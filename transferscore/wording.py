"""Words for messages."""

from __future__ import annotations

__all__ = ["one_line"]


def one_line(error: BaseException) -> str:
    """The message of any exception as one line; its class where it has none."""
    return " ".join(str(error).split()) or type(error).__name__
