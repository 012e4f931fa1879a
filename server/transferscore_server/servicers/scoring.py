"""ScoringService: features in, scores, distances and statistics out."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any, Protocol

from transferscore.v1 import scoring_service_pb2 as pb
from transferscore_server.errors import exhausted, invalid
from transferscore_server.paging import page_of, page_size
from transferscore_server.scoring import (
    Answer,
    compute_distances,
    list_scorers,
    score_features,
    score_statistics,
)
from transferscore_server.settings import Limits
from transferscore_server.streams import FeatureStream
from transferscore_server.values.scoring import (
    distances_request,
    distances_response,
    score_request,
    score_response,
    scorer_message,
    scores_named,
)

__all__ = ["Runner", "ScoringServicer"]

_MAX_STREAMS = 8


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
        # numpy's products let go of the interpreter, so that threads do for adding up rows.
        self._threads = ThreadPoolExecutor(2, thread_name_prefix="streams")
        self._streams = 0

    async def ScoreFeatures(self, request: Any, _context: Any = None) -> Any:
        """Scores of one feature matrix, or of statistics."""
        if request.statistics:
            scores = scores_named(request.scores)
            answer: Answer = await self._runner.run(score_statistics, request.statistics, scores)
            if request.return_statistics:
                answer = replace(answer, statistics=request.statistics)
        else:
            answer = await self._runner.run(score_features, *score_request(request))
        if len(answer.statistics) > self._limits.max_message_bytes - 2**16:
            raise exhausted(
                "TOO_LARGE",
                f"The statistics, {len(answer.statistics)} bytes, do not fit in a message "
                "(Limits.max_message_bytes); ScoreFeatureStream returns them in pieces.",
            )
        return score_response(answer)

    async def ScoreFeatureStream(
        self, requests: AsyncIterator[Any], _context: Any = None
    ) -> AsyncIterator[Any]:
        """Scores of any number of rows, then their statistics if asked for."""
        if self._streams >= _MAX_STREAMS:
            raise exhausted("TOO_MANY_STREAMS", f"{_MAX_STREAMS} feature streams run already.", 2.0)
        self._streams += 1
        try:
            header, statistics = await self._summed(requests)
        finally:
            self._streams -= 1
        scores = scores_named(header.scores)
        answer: Answer = await self._runner.run(score_statistics, statistics, scores)
        yield pb.ScoreFeatureStreamResponse(scores=score_response(answer))
        if header.return_statistics:
            size = self._limits.max_chunk_bytes
            for start in range(0, len(statistics), size):
                yield pb.ScoreFeatureStreamResponse(statistics=statistics[start : start + size])

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

    async def _summed(self, requests: AsyncIterator[Any]) -> tuple[Any, bytes]:
        """The header of a stream, and the statistics of its rows."""
        stream: FeatureStream | None = None
        header: Any = None
        loop = asyncio.get_running_loop()
        async for request in requests:
            if stream is None:
                if request.WhichOneof("part") != "header":
                    raise invalid("part", "must be `header` in the first message.")
                header = request.header
                stream = FeatureStream(header, self._limits)
            elif stream.take(request):
                await loop.run_in_executor(self._threads, stream.grow)
        if stream is None:
            raise invalid("header", "must be given in the first message; there was no message.")
        return header, await loop.run_in_executor(self._threads, stream.finish)
