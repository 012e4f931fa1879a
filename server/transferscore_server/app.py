"""The server put together: settings in, a running gRPC server out, and how it stops."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc
from google.longrunning import operations_pb2, operations_pb2_grpc
from grpc_health.v1 import health, health_pb2, health_pb2_grpc

from transferscore.errors import InputError
from transferscore.v1 import (
    dataset_service_pb2,
    dataset_service_pb2_grpc,
    ranking_service_pb2,
    ranking_service_pb2_grpc,
    scoring_service_pb2,
    scoring_service_pb2_grpc,
    system_service_pb2,
    system_service_pb2_grpc,
)
from transferscore_server.access import read_credentials
from transferscore_server.blobs.files import BlobLimits, FileBlobs
from transferscore_server.interceptors import Admission, CallInterceptor
from transferscore_server.jobs.jobs import Jobs
from transferscore_server.jobs.scheduler import Scheduler
from transferscore_server.jobs.settings import JobSettings
from transferscore_server.logs import LOGGER
from transferscore_server.metrics import Metrics
from transferscore_server.network import channel_options, listen
from transferscore_server.reflection import add_reflection
from transferscore_server.scorers import ScorerPool
from transferscore_server.servicers import (
    DatasetServicer,
    OperationsServicer,
    RankingServicer,
    ScoringServicer,
    SystemServicer,
)
from transferscore_server.settings import Settings
from transferscore_server.store.limits import StoreLimits
from transferscore_server.store.sql import open_store
from transferscore_server.store.store import Store
from transferscore_server.tracing import Tracing

__all__ = ["Server", "start_server"]

_SERVING = health_pb2.HealthCheckResponse.SERVING
_NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING
_PROBE_SECONDS = 0.5


def _full_name(module: Any, service: str) -> str:
    name: str = module.DESCRIPTOR.services_by_name[service].full_name
    return name


_RANKINGS = _full_name(ranking_service_pb2, "RankingService")
_OPERATIONS = _full_name(operations_pb2, "Operations")
_NEED_WORKERS = (_RANKINGS, _OPERATIONS)
_SERVICES = (
    _full_name(dataset_service_pb2, "DatasetService"),
    _RANKINGS,
    _full_name(scoring_service_pb2, "ScoringService"),
    _full_name(system_service_pb2, "SystemService"),
    _OPERATIONS,
)


@dataclass(slots=True)
class Server:
    """A running server.

    Attributes:
        settings: What it was started with.
        addresses: Where it listens, ports filled in.
        metrics: What it counts.
    """

    settings: Settings
    addresses: tuple[str, ...]
    metrics: Metrics
    _grpc: Any
    _health: Any
    _parts: _Parts
    _tasks: list[asyncio.Task[None]]
    _stop_metrics: Callable[[], None]

    async def stop(self) -> None:
        """Drain: say so and wait for balancers; let calls finish; put rankings back; end."""
        LOGGER.info("stopping", extra={"facts": {"running": self._parts.admission.running}})
        for task in self._tasks:
            task.cancel()
        await self._health.enter_graceful_shutdown()
        await asyncio.sleep(self.settings.drain_delay_seconds)
        self._parts.stopping.set()
        await self._grpc.stop(self.settings.drain_seconds)
        await self._parts.jobs.drain(0.0)
        self._parts.scorers.close()
        await asyncio.to_thread(self._parts.store.close)
        self._stop_metrics()
        LOGGER.info("stopped")


@dataclass(frozen=True, slots=True)
class _Parts:
    """What servicers are made of."""

    settings: Settings
    store: Store
    blobs: FileBlobs
    jobs: Jobs
    scorers: ScorerPool
    admission: Admission
    tracing: Tracing
    stopping: asyncio.Event


async def start_server(settings: Settings) -> Server:
    """Start a server; it answers when this returns, and rankings run once a worker is ready.

    Raises:
        InputError: A setting cannot be used, or an address is taken.
        StoreBusyError: The database cannot be reached.
    """
    credentials = read_credentials(settings.token_file, settings.tokens)
    parts = await asyncio.to_thread(_made, settings)
    metrics = Metrics()
    interceptor = CallInterceptor(
        credentials, settings.limits, parts.admission, metrics, parts.tracing
    )
    server = grpc.aio.server(interceptors=(interceptor,), options=channel_options(settings))
    probes = health.aio.HealthServicer()
    health_pb2_grpc.add_HealthServicer_to_server(probes, server)
    _add_servicers(server, parts)
    addresses = listen(server, settings)
    # Refused before anything runs: a server that is started does not end well by an exception.
    stop_metrics = _measure(metrics, parts)
    await parts.scorers.start()
    await parts.jobs.start()
    await server.start()
    watching = asyncio.create_task(_report_health(probes, parts.jobs))
    LOGGER.info("listening", extra={"facts": {"addresses": addresses}})
    return Server(settings, addresses, metrics, server, probes, parts, [watching], stop_metrics)


def _made(settings: Settings) -> _Parts:
    folder = Path(settings.data_dir).expanduser().absolute()
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"`data_dir` cannot be made: {error}.") from None
    for root in (*settings.data_roots, *settings.model_roots):
        if not Path(root).expanduser().is_dir():
            raise InputError(f"`{root}` is to be an allowed root, and is no folder.")
    limits = settings.limits
    store = open_store(
        settings.database_url or f"sqlite:///{folder / 'transferscore.db'}",
        StoreLimits(limits.max_queued_rankings, limits.max_project_rankings),
    )
    blobs = FileBlobs(folder / "blobs", BlobLimits(limits.max_dataset_bytes))
    jobs = Scheduler(
        store,
        blobs,
        JobSettings(
            folder,
            devices=settings.devices,
            offline=not settings.hub,
            model_bytes=settings.model_memory_bytes,
            recycle_bytes=settings.worker_memory_bytes,
        ),
    )
    scorers = ScorerPool(
        settings.scorers or os.cpu_count() or 1, memory_bytes=settings.scorer_memory_bytes
    )
    tracing = Tracing(settings.trace)
    admission = Admission(limits)
    return _Parts(settings, store, blobs, jobs, scorers, admission, tracing, asyncio.Event())


def _add_servicers(server: Any, parts: _Parts) -> None:
    settings, store, jobs = parts.settings, parts.store, parts.jobs
    dataset_service_pb2_grpc.add_DatasetServiceServicer_to_server(
        DatasetServicer(store, parts.blobs, settings), server
    )
    ranking_service_pb2_grpc.add_RankingServiceServicer_to_server(
        RankingServicer(store, jobs, settings, parts.stopping, parts.tracing.carrier), server
    )
    operations_pb2_grpc.add_OperationsServicer_to_server(
        OperationsServicer(store, jobs, settings, parts.stopping), server
    )
    scoring_service_pb2_grpc.add_ScoringServiceServicer_to_server(
        ScoringServicer(parts.scorers, settings.limits), server
    )
    system_service_pb2_grpc.add_SystemServiceServicer_to_server(
        SystemServicer(settings, jobs.devices), server
    )
    if settings.reflection:
        add_reflection(server, (*_SERVICES, health.SERVICE_NAME))


async def _report_health(probes: Any, jobs: Jobs) -> None:
    """The server serves at once; what needs a worker serves while one is ready."""
    for service in ("", *_SERVICES):
        await probes.set(service, _NOT_SERVING if service in _NEED_WORKERS else _SERVING)
    before = False
    while True:
        ready = any(status.is_ready for status in jobs.devices())
        if ready is not before:
            before = ready
            for service in _NEED_WORKERS:
                await probes.set(service, _SERVING if ready else _NOT_SERVING)
        await asyncio.sleep(_PROBE_SECONDS)


def _measure(metrics: Metrics, parts: _Parts) -> Callable[[], None]:
    """Add what is read at every scrape, and answer scrapes if asked to."""
    metrics.watch("ts_scorer_queue", "Calls that wait for a scorer.", lambda: parts.scorers.waiting)
    metrics.watch("ts_blob_bytes", "Bytes of datasets and uploads.", parts.blobs.size_bytes)
    metrics.watch_devices(parts.jobs.devices)
    metrics.watch_rankings(parts.store.counts)
    address = parts.settings.metrics_listen
    return metrics.serve(address) if address else _nothing


def _nothing() -> None:
    """Stop what was not started."""
