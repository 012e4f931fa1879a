"""Logs as one JSON object a line, on stderr. Headers, tokens and contents never enter them."""

from __future__ import annotations

import json
import logging
import sys
from datetime import UTC, datetime

from transferscore.errors import InputError

__all__ = ["LOGGER", "configure_logs"]

LOGGER = logging.getLogger("transferscore_server")
_LEVELS = {"debug": 10, "info": 20, "warning": 30, "error": 40}


def configure_logs(level: str) -> None:
    """Write the server's log from `level` on. For a server's process only.

    Raises:
        InputError: There is no such level.
    """
    if level not in _LEVELS:
        raise InputError(f"`log_level` must be one of {', '.join(_LEVELS)}; got {level!r}.")
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_JsonFormatter())
    LOGGER.handlers = [handler]
    LOGGER.setLevel(_LEVELS[level])
    LOGGER.propagate = False


class _JsonFormatter(logging.Formatter):
    """A record, its `facts` and its traceback as one line of JSON."""

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        facts = getattr(record, "facts", {})
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "message": record.getMessage(),
            **facts,
        }
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return json.dumps(line, default=str)
