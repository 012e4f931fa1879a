"""The server put together: settings in, a running gRPC server out, and how it stops."""

from __future__ import annotations

import asyncio
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import grpc
from grpc_health.v1 import health, health_pb2, health_pb2_grpc

from transferscore.errors import InputError
from transferscore.v1 import (
    scoring_service_pb2,
    scoring_service_pb2_grpc,
    system_service_pb2,
    system_service_pb2_grpc,
)
from transferscore_server.access import read_credentials
from transferscore_server.interceptors import Admission, CallInterceptor
from transferscore_server.logs import LOGGER
from transferscore_server.metrics import Metrics
from transferscore_server.scorers import ScorerPool
from transferscore_server.servicers import ScoringServicer, SystemServicer
from transferscore_server.settings import Settings
from transferscore_server.tracing import Tracing

__all__ = ["Server", "start_server"]

_SERVING = health_pb2.HealthCheckResponse.SERVING
_NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING
SCORING = scoring_service_pb2.DESCRIPTOR.services_by_name["ScoringService"].full_name
SYSTEM = system_service_pb2.DESCRIPTOR.services_by_name["SystemService"].full_name


@dataclass(slots=True)
class Server:
    """A running server.

    Attributes:
        settings: What it was started with.
        addresses: Where it listens, ports filled in.
        admission: Which calls run.
        metrics: What it counts.
    """

    settings: Settings
    addresses: tuple[str, ...]
    admission: Admission
    metrics: Metrics
    _server: Any
    _health: Any
    _scorers: ScorerPool
    _stops: list[Any] = field(default_factory=list)

    async def stop(self) -> None:
        """Drain: say so, wait for balancers, refuse new calls, let running ones finish, end."""
        LOGGER.info("stopping", extra={"facts": {"running": self.admission.running}})
        await self._health.enter_graceful_shutdown()
        await asyncio.sleep(self.settings.drain_delay_seconds)
        self.admission.stop()
        await self._server.stop(self.settings.drain_seconds)
        self._scorers.close()
        for stop in self._stops:
            stop()
        LOGGER.info("stopped")

    async def wait(self) -> None:
        """Until it has stopped."""
        await self._server.wait_for_termination()


async def start_server(settings: Settings) -> Server:
    """Start a server; it answers when this returns.

    Raises:
        InputError: A setting cannot be used, or an address is taken.
    """
    credentials = read_credentials(settings.token_file, settings.tokens)
    admission, metrics = Admission(settings.limits), Metrics()
    scorers = ScorerPool(
        settings.scorers or os.cpu_count() or 1, memory_bytes=settings.scorer_memory_bytes
    )
    await scorers.start()
    interceptor = CallInterceptor(
        credentials, settings.limits, admission, metrics, Tracing(settings.trace)
    )
    server = grpc.aio.server(interceptors=(interceptor,), options=_options(settings))
    scoring_service_pb2_grpc.add_ScoringServiceServicer_to_server(
        ScoringServicer(scorers, settings.limits), server
    )
    system_service_pb2_grpc.add_SystemServiceServicer_to_server(SystemServicer(settings), server)
    servicer = health.aio.HealthServicer()
    health_pb2_grpc.add_HealthServicer_to_server(servicer, server)
    addresses = _listen(server, settings)
    await server.start()
    for service in ("", SCORING, SYSTEM):
        await servicer.set(service, _SERVING)
    running = Server(settings, addresses, admission, metrics, server, servicer, scorers)
    metrics.watch("ts_scorer_queue", "Calls that wait for a scorer.", lambda: scorers.waiting)
    if settings.metrics_listen:
        running._stops.append(metrics.serve(settings.metrics_listen))
    LOGGER.info("listening", extra={"facts": {"addresses": addresses}})
    return running


def _options(settings: Settings) -> list[tuple[str, int]]:
    """Channel options; without the first two, gRPC takes 4 MiB in and anything out."""
    return [
        ("grpc.max_receive_message_length", settings.limits.max_message_bytes),
        ("grpc.max_send_message_length", settings.limits.max_message_bytes),
        # Two servers on one port would each get some of the calls.
        ("grpc.so_reuseport", 0),
        ("grpc.keepalive_time_ms", 60_000),
        ("grpc.keepalive_timeout_ms", 20_000),
        # Clients that ping every ten seconds are eager, not hostile.
        ("grpc.http2.min_recv_ping_interval_without_data_ms", 10_000),
        ("grpc.keepalive_permit_without_calls", 1),
    ]


def _listen(server: Any, settings: Settings) -> tuple[str, ...]:
    credentials = _tls(settings)
    addresses = []
    for address in settings.listen:
        try:
            if credentials is None or address.startswith("unix:"):
                port = server.add_insecure_port(address)
            else:
                port = server.add_secure_port(address, credentials)
        except RuntimeError as error:
            raise InputError(
                f"`listen` must be a free address; got {address!r}: {error}."
            ) from None
        local = address.startswith("unix:")
        addresses.append(address if local else f"{address.rpartition(':')[0]}:{port}")
    return tuple(addresses)


def _tls(settings: Settings) -> Any:
    if not settings.tls_certificate:
        return None
    pair = (_read(settings.tls_key), _read(settings.tls_certificate))
    authority = _read(settings.tls_client_ca) if settings.tls_client_ca else None
    return grpc.ssl_server_credentials(
        [pair], root_certificates=authority, require_client_auth=authority is not None
    )


def _read(file: str) -> bytes:
    try:
        return Path(file).read_bytes()
    except OSError as error:
        raise InputError(f"The PEM file `{file}` cannot be read: {error.strerror}.") from None
