"""Servicers: one a service, each an ordinary object that works without a socket."""

from transferscore_server.servicers.datasets import DatasetServicer
from transferscore_server.servicers.operations import OperationsServicer
from transferscore_server.servicers.rankings import RankingServicer
from transferscore_server.servicers.scoring import ScoringServicer
from transferscore_server.servicers.system import SystemServicer

__all__ = [
    "DatasetServicer",
    "OperationsServicer",
    "RankingServicer",
    "ScoringServicer",
    "SystemServicer",
]
