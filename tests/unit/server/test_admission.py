"""How many calls of one caller run at a time."""

from __future__ import annotations

import pytest
from transferscore_server.errors import CallError
from transferscore_server.interceptors import Admission
from transferscore_server.settings import Limits


@pytest.mark.parametrize(
    ("is_long", "limit"), [(False, "max_concurrent_calls"), (True, "max_watches")]
)
def test_calls_beyond_the_limit_of_their_caller_are_refused(is_long, limit):
    admission = Admission(Limits(max_concurrent_calls=2, max_watches=2))
    with admission.admit("ann", is_long=is_long), admission.admit("ann", is_long=is_long):
        with (
            pytest.raises(CallError, match=rf"\(Limits\.{limit}\)"),
            admission.admit("ann", is_long=is_long),
        ):
            pass
        with admission.admit("ben", is_long=is_long), admission.admit("ann", is_long=not is_long):
            pass
    with admission.admit("ann", is_long=is_long):
        pass


def test_watchers_are_not_counted_as_running():
    admission = Admission(Limits())
    with admission.admit("ann", is_long=True), admission.admit("ann", is_long=False):
        assert admission.running == 1
    assert admission.running == 0
