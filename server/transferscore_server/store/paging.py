"""Pages of a list: by create_time and name, with tokens that nobody else can make."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import secrets as random_bytes
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from sqlalchemy import Connection, Table, insert, select, tuple_

from transferscore_server.store.errors import PageTokenError
from transferscore_server.store.records import Page, PageRequest
from transferscore_server.store.tables import secrets

__all__ = ["list_page", "page_key"]

Record = TypeVar("Record")
_MAC_BYTES = 12


@dataclass(frozen=True, slots=True)
class _Position:
    """After which row a page starts."""

    create_time: float
    name: str


def page_key(connection: Connection) -> bytes:
    """The key that tokens are signed with, made at first use and the same for all fronts."""
    query = select(secrets.c.value).where(secrets.c.name == "page_key")
    if (found := connection.execute(query).scalar()) is None:
        found = random_bytes.token_hex(32)
        connection.execute(insert(secrets).values(name="page_key", value=found))
    return bytes.fromhex(found)


def list_page(
    connection: Connection,
    table: Table,
    project: str,
    page: PageRequest,
    *,
    key: bytes,
    record_of: Callable[[Any], Record],
) -> Page[Record]:
    """The page of `table` that is asked for.

    Raises:
        PageTokenError: The token was made for another query, or by somebody else.
    """
    query_id = json.dumps([table.name, project, page.state, page.newest_first])
    order = tuple_(table.c.create_time, table.c.name)
    query = select(table).where(table.c.project == project)
    if page.state:
        query = query.where(table.c.state == page.state)
    if page.token:
        after = _open_token(page.token, query_id, key)
        place = tuple_(after.create_time, after.name)
        query = query.where(order < place if page.newest_first else order > place)
    columns = [table.c.create_time, table.c.name]
    query = query.order_by(*([c.desc() for c in columns] if page.newest_first else columns))
    rows = connection.execute(query.limit(page.size + 1)).all()
    token = _token(rows, page.size, query_id, key)
    return Page(tuple(record_of(row) for row in rows[: page.size]), token)


def _token(rows: Sequence[Any], size: int, query_id: str, key: bytes) -> str:
    if len(rows) <= size:
        return ""
    last = rows[size - 1]
    position = json.dumps([last.create_time, last.name]).encode()
    signed = _mac(position, query_id, key) + position
    return base64.urlsafe_b64encode(signed).decode().rstrip("=")


def _open_token(token: str, query_id: str, key: bytes) -> _Position:
    try:
        signed = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
    except (binascii.Error, ValueError):
        raise PageTokenError from None
    mac, position = signed[:_MAC_BYTES], signed[_MAC_BYTES:]
    if not hmac.compare_digest(mac, _mac(position, query_id, key)):
        raise PageTokenError
    return _Position(*json.loads(position))


def _mac(position: bytes, query_id: str, key: bytes) -> bytes:
    content = query_id.encode() + b"\n" + position
    return hmac.new(key, content, hashlib.sha256).digest()[:_MAC_BYTES]
