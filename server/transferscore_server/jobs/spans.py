"""Spans about a ranking and its candidates, under the trace of the call that asked for it.

They are made in the front, from what the worker says: a worker has no network to send spans by.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

__all__ = ["RankingSpans"]


class RankingSpans:
    """The spans of one ranking in work; none where its caller sent no trace."""

    def __init__(self, labels: Mapping[str, str], name: str, device: str) -> None:
        """Begin the ranking's span, where `labels` carry the trace of the submitting call."""
        self._tracer: Any = None
        self._ranking: Any = None
        self._candidate: Any = None
        if "traceparent" not in labels:
            return
        try:
            from opentelemetry import trace
            from opentelemetry.propagate import extract
        except ImportError:
            # Another front with the package has taken the ranking; this one has not.
            return
        self._tracer = trace.get_tracer("transferscore_server")
        self._ranking = self._tracer.start_span(
            "ranking", extract(labels), attributes={"ranking": name, "device": device}
        )

    def began(self, model: str) -> None:
        """A candidate's turn has come."""
        self.ended()
        if self._tracer is not None:
            from opentelemetry.trace import set_span_in_context

            context = set_span_in_context(self._ranking)
            attributes = {"model": model}
            self._candidate = self._tracer.start_span("candidate", context, attributes=attributes)

    def ended(self, error: str = "") -> None:
        """The candidate in work is done, or has failed with `error`."""
        self._end(self._candidate, error)
        self._candidate = None

    def close(self, error: str = "") -> None:
        """The ranking has ended here."""
        self.ended(error)
        self._end(self._ranking, error)
        self._ranking = None

    @staticmethod
    def _end(span: Any, error: str) -> None:
        if span is None:
            return
        if error:
            from opentelemetry.trace import StatusCode

            span.set_status(StatusCode.ERROR, error)
        span.end()
