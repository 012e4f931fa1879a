"""Requests that came before: the same request id gives the same answer and does nothing twice."""

from __future__ import annotations

import time

from sqlalchemy import Connection, insert, select

from transferscore_server.store.errors import RequestReusedError
from transferscore_server.store.records import RequestKey
from transferscore_server.store.tables import requests

__all__ = ["answered", "remember"]


def answered(connection: Connection, project: str, request: RequestKey | None) -> str | None:
    """The name of what this request made when it came before; None if it is new.

    Raises:
        RequestReusedError: Another request came under its id.
    """
    if request is None:
        return None
    query = select(requests.c.fingerprint, requests.c.name).where(
        requests.c.project == project, requests.c.request_id == request.request_id
    )
    found = connection.execute(query).first()
    if found is None:
        return None
    if found.fingerprint != request.fingerprint:
        raise RequestReusedError(request.request_id)
    return str(found.name)


def remember(connection: Connection, project: str, request: RequestKey | None, name: str) -> None:
    """Note that a request has made `name`."""
    if request is not None:
        row = {
            "project": project,
            "request_id": request.request_id,
            "fingerprint": request.fingerprint,
            "name": name,
            "create_time": time.time(),
        }
        connection.execute(insert(requests).values(row))
