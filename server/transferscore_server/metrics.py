"""Prometheus metrics. Names are part of the contract: dashboards are built on them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, start_http_server
from prometheus_client.core import GaugeMetricFamily

from transferscore.errors import InputError
from transferscore_server.jobs.status import DeviceStatus

__all__ = ["Metrics"]

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 15.0, 60.0)


class Metrics:
    """What the server counts, in a registry of its own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._calls = Counter(
            "ts_rpc_total", "Calls that ended.", ["method", "code"], registry=self.registry
        )
        self._seconds = Histogram(
            "ts_rpc_seconds",
            "Time of a call, streams from the first message to the last.",
            ["method"],
            buckets=_SECONDS,
            registry=self.registry,
        )
        self._running = Gauge(
            "ts_rpc_running", "Calls that run now.", ["method"], registry=self.registry
        )
        self._failures = Counter(
            "ts_failures_total", "Calls that failed, by reason.", ["reason"], registry=self.registry
        )

    def began(self, method: str) -> None:
        """A call began."""
        self._running.labels(method).inc()

    def ended(self, method: str, code: str, reason: str, seconds: float) -> None:
        """A call ended, with the reason of its failure or an empty one."""
        self._running.labels(method).dec()
        self._calls.labels(method, code).inc()
        self._seconds.labels(method).observe(seconds)
        if reason:
            self._failures.labels(reason).inc()

    def watch(self, name: str, about: str, value: Callable[[], float]) -> None:
        """A gauge that is read when it is asked for."""
        Gauge(name, about, registry=self.registry).set_function(value)

    def watch_devices(self, devices: Callable[[], Sequence[DeviceStatus]]) -> None:
        """What the devices' workers hold and how often they were replaced."""
        self.registry.register(_Devices(devices))

    def watch_rankings(self, counts: Callable[[], Mapping[Any, int]]) -> None:
        """How many rankings are in each state."""
        self.registry.register(_Rankings(counts))

    def serve(self, address: str) -> Callable[[], None]:
        """Answer scrapes at `host:port`; returns what stops it.

        Raises:
            InputError: The address is not one, or is taken.
        """
        host, _, port = address.rpartition(":")
        try:
            server, thread = start_http_server(
                int(port), host.strip("[]") or "127.0.0.1", self.registry
            )
        except (ValueError, OSError, OverflowError) as error:
            raise InputError(
                f"`metrics_listen` must be a free address `host:port`; got {address!r}: {error}."
            ) from None

        def stop() -> None:
            server.shutdown()
            server.server_close()
            thread.join()

        return stop


class _Rankings:
    """Reads the database at every scrape."""

    def __init__(self, counts: Callable[[], Mapping[Any, int]]) -> None:
        self._counts = counts

    def collect(self) -> list[Any]:
        states = GaugeMetricFamily("ts_job_state", "Rankings in each state.", labels=["state"])
        for state, count in self._counts().items():
            states.add_metric([str(state)], count)
        return [states]


class _Devices:
    """Reads the devices at every scrape."""

    def __init__(self, devices: Callable[[], Sequence[DeviceStatus]]) -> None:
        self._devices = devices

    def collect(self) -> list[Any]:
        held = GaugeMetricFamily("ts_device_bytes", "Memory of a worker.", labels=["device"])
        ready = GaugeMetricFamily("ts_device_ready", "Whether it answers.", labels=["device"])
        restarts = GaugeMetricFamily(
            "ts_worker_restarts", "Workers replaced, by reason.", labels=["device", "reason"]
        )
        for status in self._devices():
            held.add_metric([status.device], status.memory_bytes)
            ready.add_metric([status.device], float(status.is_ready))
            for reason, count in status.restarts.items():
                restarts.add_metric([status.device, reason], count)
        return [held, ready, restarts]
