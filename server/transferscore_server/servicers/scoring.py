"""ScoringService: features in, scores, distances and statistics out."""

from __future__ import annotations

from typing import Any, Protocol

from transferscore.v1 import scoring_service_pb2 as pb
from transferscore_server.paging import page_of, page_size
from transferscore_server.scoring import (
    Answer,
    compute_distances,
    list_scorers,
    score_features,
)
from transferscore_server.settings import Limits
from transferscore_server.values.scoring import (
    distances_request,
    distances_response,
    score_request,
    score_response,
    scorer_message,
)

__all__ = ["Runner", "ScoringServicer"]


class Runner(Protocol):
    """Where numbers are computed; `ScorerPool` in a server."""

    async def run(self, function: Any, *arguments: Any) -> Any:
        """What the function gives."""
        ...


class ScoringServicer:
    """Scores without a model and without a job."""

    def __init__(self, runner: Runner, limits: Limits) -> None:
        """Compute by `runner`, within `limits`."""
        self._runner, self._limits = runner, limits
        self._catalogue: list[dict[str, Any]] = []

    async def ScoreFeatures(self, request: Any, _context: Any = None) -> Any:
        """Scores of one feature matrix."""
        answer: Answer = await self._runner.run(score_features, *score_request(request))
        return score_response(answer)

    async def ComputeDistances(self, request: Any, _context: Any = None) -> Any:
        """Distances between two samples."""
        answer: Answer = await self._runner.run(compute_distances, *distances_request(request))
        return distances_response(answer)

    async def ListScorers(self, request: Any, _context: Any = None) -> Any:
        """The catalogue of scores and distances."""
        size = page_size(request.page_size, self._limits.max_page_size)
        if not self._catalogue:
            self._catalogue = await self._runner.run(list_scorers)
        page, token = page_of(self._catalogue, size, request.page_token)
        return pb.ListScorersResponse(
            scorers=[scorer_message(entry) for entry in page], next_page_token=token
        )
