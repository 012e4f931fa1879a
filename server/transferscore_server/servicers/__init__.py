"""Servicers: one a service, each an ordinary object that works without a socket."""

from transferscore_server.servicers.scoring import ScoringServicer
from transferscore_server.servicers.system import SystemServicer

__all__ = ["ScoringServicer", "SystemServicer"]
