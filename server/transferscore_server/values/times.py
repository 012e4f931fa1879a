"""Times and durations as messages."""

from __future__ import annotations

from typing import Any

from google.protobuf import duration_pb2, timestamp_pb2

__all__ = ["duration", "seconds_of", "timestamp"]

# What a Duration may hold: about 10,000 years.
_MOST_SECONDS = 315_576_000_000


def duration(seconds: float) -> Any:
    """Seconds as a Duration."""
    message = duration_pb2.Duration()
    message.FromNanoseconds(round(min(seconds, _MOST_SECONDS) * 1e9))
    return message


def seconds_of(message: Any) -> float:
    """A Duration in seconds."""
    return float(message.seconds + message.nanos / 1e9)


def timestamp(unix_seconds: float | None) -> Any:
    """Unix seconds as a Timestamp; None for None, which leaves a field unset."""
    if unix_seconds is None:
        return None
    message = timestamp_pb2.Timestamp()
    message.FromNanoseconds(round(unix_seconds * 1e9))
    return message
