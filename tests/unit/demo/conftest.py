"""What all tests of the demo share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from transferscore.demo.threads import one_thread


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    """As in the demo itself: small networks train far slower on threads that wait."""
    with one_thread():
        yield
