"""OpenTelemetry spans, where the optional package is installed and tracing is asked for."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from typing import Any

from transferscore.errors import MissingExtraError

__all__ = ["Tracing"]


class Tracing:
    """Makes a span a call, under the caller's own trace where it sends one."""

    def __init__(self, enabled: bool) -> None:
        """Make spans if `enabled`.

        Raises:
            MissingExtraError: They are asked for and OpenTelemetry is not installed.
        """
        self._tracer: Any = None
        if enabled:
            try:
                from opentelemetry import trace
            except ImportError:
                raise MissingExtraError.of("opentelemetry-api", "otel", "Tracing") from None
            self._tracer = trace.get_tracer("transferscore_server")

    @contextlib.contextmanager
    def span(self, method: str, metadata: Mapping[str, str]) -> Iterator[None]:
        """A span about one call."""
        if self._tracer is None:
            yield
            return
        from opentelemetry.propagate import extract
        from opentelemetry.trace import SpanKind

        with self._tracer.start_as_current_span(
            method.lstrip("/"), context=extract(metadata), kind=SpanKind.SERVER
        ):
            yield

    def carrier(self) -> dict[str, str]:
        """What a job carries to its worker so that its spans belong to the same trace."""
        if self._tracer is None:
            return {}
        from opentelemetry.propagate import inject

        carrier: dict[str, str] = {}
        inject(carrier)
        return carrier
