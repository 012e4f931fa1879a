"""RankingService: rankings as jobs, and what happens to them."""

from __future__ import annotations

import asyncio
import functools
import inspect
import time
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any

from google.protobuf import empty_pb2

from transferscore.v1 import ranking_service_pb2 as pb
from transferscore_server.errors import invalid, unavailable
from transferscore_server.jobs.jobs import Jobs
from transferscore_server.names import Name, parse_name, parse_parent, resource_id
from transferscore_server.paging import page_size
from transferscore_server.paths import allowed_models
from transferscore_server.requests import request_key
from transferscore_server.settings import Settings
from transferscore_server.store.errors import NotFoundError
from transferscore_server.store.records import (
    NewRanking,
    PageRequest,
    RankingRecord,
    RankingSpec,
    RankingState,
)
from transferscore_server.store.store import Store
from transferscore_server.values.datasets import FINGERPRINT
from transferscore_server.values.rankings import (
    event_message,
    operation_message,
    ranking_message,
    ranking_options,
)
from transferscore_server.values.times import seconds_of

__all__ = ["RankingServicer"]

# How long a watcher of a quiet ranking takes to notice that the server stops.
_WATCH_SECONDS = 1.0


class RankingServicer:
    """Rankings that are queued, run, watched and stopped."""

    def __init__(
        self,
        store: Store,
        jobs: Jobs,
        settings: Settings,
        stopping: asyncio.Event,
        carrier: Callable[[], Mapping[str, str]] = dict,
    ) -> None:
        """Queue by `jobs`, read from `store`.

        Args:
            store: Where rankings are.
            jobs: What runs them.
            settings: What may be named, and the limits.
            stopping: Set when the server stops: watchers are sent elsewhere then.
            carrier: Gives the trace that a job belongs to.
        """
        self._store, self._jobs, self._settings = store, jobs, settings
        self._stopping, self._carrier = stopping, carrier

    async def CreateRanking(self, request: Any, _context: Any = None) -> Any:
        """The operation of a new ranking."""
        project = parse_parent(request.parent)
        name = Name(project, "ranking", resource_id(request.ranking_id, "ranking_id"))
        new = await asyncio.to_thread(self._new, request.ranking.spec, name)
        if request.validate_only:
            return operation_message(_as_it_would_start(new))
        record, _ = await self._jobs.submit(new, request_key(request, project))
        return operation_message(record)

    async def GetRanking(self, request: Any, _context: Any = None) -> Any:
        """One ranking, with what is finished of it."""
        return await self.ranking(str(parse_name("ranking", request.name)))

    async def ListRankings(self, request: Any, _context: Any = None) -> Any:
        """One page of rankings."""
        project = parse_parent(request.parent)
        size = page_size(request.page_size, self._settings.limits.max_page_size)
        page = await asyncio.to_thread(
            self._store.list_rankings, project, PageRequest(size, request.page_token)
        )
        return pb.ListRankingsResponse(
            rankings=[ranking_message(record) for record in page.records],
            next_page_token=page.next_token,
        )

    async def CancelRanking(self, request: Any, _context: Any = None) -> Any:
        """The ranking, cancelled or about to be."""
        name = str(parse_name("ranking", request.name))
        await self._jobs.cancel(name)
        return await self.ranking(name)

    async def DeleteRanking(self, request: Any, _context: Any = None) -> Any:
        """Nothing; the ranking is forgotten."""
        name = str(parse_name("ranking", request.name))
        try:
            await asyncio.to_thread(self._store.delete_ranking, name, request.etag)
        except NotFoundError:
            if not request.allow_missing:
                raise
        return empty_pb2.Empty()

    async def WatchRanking(self, request: Any, _context: Any = None) -> AsyncIterator[Any]:
        """Everything that happens to a ranking, to its end."""
        name = str(parse_name("ranking", request.name))
        if request.after_sequence < 0:
            raise invalid("after_sequence", f"must be at least 0; got {request.after_sequence}.")
        sequence, quiet_since = request.after_sequence, time.monotonic()
        async for event in self._jobs.watch(name, sequence, _WATCH_SECONDS):
            if self._stopping.is_set():
                raise unavailable("STOPPING", f"The server is stopping; go on after {sequence}.")
            if event is None and time.monotonic() - quiet_since < self._heartbeat:
                continue
            quiet_since = time.monotonic()
            record = await asyncio.to_thread(self._store.get_ranking, name)
            sequence = event.sequence if event is not None else sequence
            yield event_message(event, record, sequence)
        yield pb.WatchRankingResponse(sequence=sequence, final=await self.ranking(name))

    @property
    def _heartbeat(self) -> float:
        return self._settings.limits.watch_heartbeat_seconds

    async def ranking(self, name: str) -> Any:
        """The message of a ranking."""
        record = await asyncio.to_thread(self._store.get_ranking, name)
        finished = await asyncio.to_thread(self._store.candidates, name)
        return ranking_message(record, finished)

    def _new(self, spec: Any, name: Name) -> NewRanking:
        """The ranking that a spec asks for, checked as far as it can be without running it."""
        dataset = parse_name("dataset", spec.dataset, "ranking.spec.dataset")
        if dataset.project != name.project:
            raise invalid("ranking.spec.dataset", f"must be of the project `{name.project}`.")
        options = ranking_options(spec, _arguments())
        _check_scores(options)
        self._check_fingerprints(options.get("fingerprints", {}), name.project)
        if not spec.models:
            raise invalid("ranking.spec.models", "must name at least one model; got none.")
        models = allowed_models(list(spec.models), list(spec.model_names), self._settings)
        target = self._store.get_dataset(str(dataset))
        if target.format == FINGERPRINT:
            raise invalid("ranking.spec.dataset", "is a fingerprint, which holds no samples.")
        about = target.labels
        if "task" in about:
            options.setdefault("task", about["task"])
        labels = dict(self._carrier())
        return NewRanking(
            str(name),
            RankingSpec(str(dataset), models, options),
            deadline=_deadline(spec),
            labels=labels,
        )

    def _check_fingerprints(self, fingerprints: Mapping[str, str], project: str) -> None:
        for model, text in fingerprints.items():
            field = f"ranking.spec.fingerprints[{model[:60]!r}]"
            name = parse_name("dataset", text, field)
            if name.project != project:
                raise invalid(field, f"must be of the project `{project}`.")
            if self._store.get_dataset(str(name)).format != FINGERPRINT:
                raise invalid(field, "must be a dataset of the format FINGERPRINT.")


@functools.cache
def _arguments() -> tuple[str, ...]:
    """The options of the library's `rank()`, which are those of a ranking here."""
    from transferscore.rank import rank

    return tuple(inspect.signature(rank).parameters)


def _check_scores(options: Mapping[str, Any]) -> None:
    """Refuse a score that nobody knows now, not when the models have run."""
    from transferscore.scores.registry import check_scores, scores_named

    names = options.get("scores")
    if names is None or names == "all":
        return
    if "task" in options:
        check_scores(names, options["task"])
    else:
        scores_named(names)


def _deadline(spec: Any) -> float | None:
    if not spec.budget.HasField("wall_time"):
        return None
    seconds = seconds_of(spec.budget.wall_time)
    if seconds <= 0:
        raise invalid("ranking.spec.budget.wall_time", f"must be more than 0; got {seconds:g} s.")
    return time.time() + seconds


def _as_it_would_start(new: NewRanking) -> RankingRecord:
    return RankingRecord(
        name=new.name,
        state=RankingState.QUEUED,
        spec=new.spec,
        priority=new.priority,
        deadline=new.deadline,
        labels=new.labels,
        create_time=time.time(),
        start_time=None,
        end_time=None,
        etag="",
        n_candidates=len(new.spec.models),
        n_done=0,
        n_failed=0,
        last_sequence=0,
        error=None,
        document=None,
    )
