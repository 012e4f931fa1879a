"""What a worker imports first, so that it knows the scheme `odd:`."""

from tests.unit.server_jobs.odd_models import register

register()
