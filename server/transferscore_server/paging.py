"""Pages of lists that are not in the database."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from typing import TypeVar

from transferscore_server.errors import invalid

__all__ = ["DEFAULT_PAGE_SIZE", "page_of", "page_size"]

DEFAULT_PAGE_SIZE = 50
_PREFIX = "after:"
Item = TypeVar("Item")


def page_size(asked: int, most: int) -> int:
    """Entries of a page: the default for 0, and never more than the most.

    Raises:
        CallError: It is negative.
    """
    if asked < 0:
        raise invalid("page_size", f"must be at least 0; got {asked}.")
    return min(asked or DEFAULT_PAGE_SIZE, most)


def page_of(items: Sequence[Item], size: int, token: str) -> tuple[Sequence[Item], str]:
    """The page that `token` stands for, and the token of the next one, empty on the last.

    Raises:
        CallError: The token is not one that this list gave.
    """
    start = _start(token)
    if start is None or start > len(items):
        raise invalid("page_token", "must be the next_page_token of the page before.")
    end = start + size
    return items[start:end], _token(end) if end < len(items) else ""


def _token(start: int) -> str:
    return base64.urlsafe_b64encode(f"{_PREFIX}{start}".encode()).decode()


def _start(token: str) -> int | None:
    if not token:
        return 0
    try:
        text = base64.urlsafe_b64decode(token.encode()).decode()
        number = int(text.removeprefix(_PREFIX))
    except ValueError:
        return None
    return number if text.startswith(_PREFIX) and number >= 0 else None
