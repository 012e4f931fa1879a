"""What makes a call idempotent: the caller's request_id, and a digest of the request with it."""

from __future__ import annotations

import hashlib
from typing import Any

from transferscore_server.errors import invalid
from transferscore_server.store.records import RequestKey

__all__ = ["request_key"]


def request_key(request: Any, project: str) -> RequestKey | None:
    """The key of a request; None where the caller gave no request_id.

    Raises:
        CallError: The request_id is too long, or holds what does not print.
    """
    if not request.request_id:
        return None
    if len(request.request_id) > 100 or not request.request_id.isprintable():
        raise invalid("request_id", "must be at most 100 printable characters, such as a UUID.")
    body = request.SerializeToString(deterministic=True)
    kind = request.DESCRIPTOR.name
    # Callers of different projects do not know of one another's identifiers.
    return RequestKey(f"{project}/{kind}/{request.request_id}", hashlib.sha256(body).hexdigest())
