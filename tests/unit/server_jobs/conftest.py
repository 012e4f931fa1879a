"""The scheme `odd:` is known to the tests of this folder, and to no others."""

from __future__ import annotations

import pytest

from tests.unit.server_jobs import odd_models

# The search for doctests would import it, and make the scheme known to all tests.
collect_ignore = ["odd_preload.py"]


@pytest.fixture(autouse=True, scope="module")
def odd_scheme():
    """For the library's own run beside the service's."""
    odd_models.register()
    yield
    odd_models.forget()
