"""What surrounds every call: who calls, whether they may, within which limits, and how it ended.

Requests are parsed here and not by gRPC, which would answer malformed bytes with INTERNAL.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import grpc
from google.protobuf.message import DecodeError

from transferscore_server.access import ANYBODY, Credential, identify, set_caller
from transferscore_server.errors import (
    CallError,
    Status,
    exhausted,
    status_of,
    to_proto,
)
from transferscore_server.logs import LOGGER
from transferscore_server.metrics import Metrics
from transferscore_server.settings import Limits
from transferscore_server.tracing import Tracing

__all__ = ["Admission", "CallInterceptor"]

_DETAILS_KEY = "grpc-status-details-bin"
# A probe must be answered whatever else goes on, and knows no token.
_EXEMPT = ("/grpc.health.v1.Health/",)
# They last as long as their ranking and cost next to nothing while they wait.
_LONG = ("/transferscore.v1.RankingService/WatchRanking",)


class Admission:
    """How many calls of whom run, and whether one more may."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._running: Counter[tuple[str, bool]] = Counter()

    @property
    def running(self) -> int:
        """Calls that run now, watchers left out."""
        return sum(count for (_, is_long), count in self._running.items() if not is_long)

    @contextlib.contextmanager
    def admit(self, who: str, *, is_long: bool) -> Any:
        """Hold a place for a call.

        Raises:
            CallError: The caller has as many calls running as it may.
        """
        limits, key = self._limits, (who, is_long)
        most = limits.max_watches if is_long else limits.max_concurrent_calls
        if self._running[key] >= most:
            raise exhausted(
                "TOO_MANY_CALLS",
                f"{who!r} watches {most} rankings, the most that one caller may "
                "(Limits.max_watches)."
                if is_long
                else f"{who!r} has {most} calls running, the most that one caller may "
                "(Limits.max_concurrent_calls).",
                retry_seconds=0.5,
            )
        self._running[key] += 1
        try:
            yield
        finally:
            self._running[key] -= 1
            if not self._running[key]:
                del self._running[key]


@dataclass(frozen=True, slots=True)
class _Call:
    """What is known of a call before it is parsed."""

    method: str
    metadata: Mapping[str, str]

    @property
    def request_id(self) -> str:
        given = self.metadata.get("x-request-id", "")
        # Unlike others in the log is all that it must be: asking the system for random bytes takes
        # longer than the rest of what surrounds a call.
        return given[:100] if given.isprintable() and given else f"{random.getrandbits(64):016x}"


class CallInterceptor(grpc.aio.ServerInterceptor):  # type: ignore[misc]
    """Identifies, admits, measures and logs calls, and turns exceptions into statuses."""

    def __init__(
        self,
        credentials: Sequence[Credential],
        limits: Limits,
        admission: Admission,
        metrics: Metrics,
        tracing: Tracing,
    ) -> None:
        """Let in whom `credentials` prove, anybody where there are none."""
        self._credentials, self._limits, self._admission = credentials, limits, admission
        self._metrics, self._tracing = metrics, tracing
        self._has_subjects = any(each.subject for each in credentials)

    async def intercept_service(self, continuation: Any, details: Any) -> Any:
        """The handler of a method, surrounded."""
        handler = await continuation(details)
        if handler is None or details.method.startswith(_EXEMPT):
            return handler
        metadata = {key: v for key, v in details.invocation_metadata or () if isinstance(v, str)}
        return self._surrounded(handler, _Call(details.method, metadata))

    def _surrounded(self, handler: Any, call: _Call) -> Any:
        make = {
            (False, False): (grpc.unary_unary_rpc_method_handler, self._unary),
            (True, False): (grpc.stream_unary_rpc_method_handler, self._stream_in),
            (False, True): (grpc.unary_stream_rpc_method_handler, self._stream_out),
            (True, True): (grpc.stream_stream_rpc_method_handler, self._both),
        }
        new_handler, surround = make[
            bool(handler.request_streaming), bool(handler.response_streaming)
        ]
        return new_handler(
            surround(handler, call), None, response_serializer=handler.response_serializer
        )

    def _unary(self, handler: Any, call: _Call) -> Callable[..., Any]:
        async def run(raw: bytes, context: Any) -> Any:
            async with self._around(call, context), asyncio.timeout(self._limits.max_unary_seconds):
                return await handler.unary_unary(_parsed(handler, raw), context)

        return run

    def _stream_in(self, handler: Any, call: _Call) -> Callable[..., Any]:
        async def run(raws: Any, context: Any) -> Any:
            async with self._around(call, context):
                return await handler.stream_unary(self._all_parsed(handler, raws), context)

        return run

    def _stream_out(self, handler: Any, call: _Call) -> Callable[..., Any]:
        async def run(raw: bytes, context: Any) -> AsyncIterator[Any]:
            async with self._around(call, context):
                async for response in handler.unary_stream(_parsed(handler, raw), context):
                    yield response

        return run

    def _both(self, handler: Any, call: _Call) -> Callable[..., Any]:
        async def run(raws: Any, context: Any) -> AsyncIterator[Any]:
            async with self._around(call, context):
                requests = self._all_parsed(handler, raws)
                async for response in handler.stream_stream(requests, context):
                    yield response

        return run

    async def _all_parsed(self, handler: Any, raws: Any) -> AsyncIterator[Any]:
        """Each message as it comes; a sender that falls silent does not keep its place for ever."""
        messages = aiter(raws)
        while True:
            try:
                async with asyncio.timeout(self._limits.max_unary_seconds):
                    raw = await anext(messages)
            except StopAsyncIteration:
                return
            yield _parsed(handler, raw)

    @contextlib.asynccontextmanager
    async def _around(self, call: _Call, context: Any) -> AsyncIterator[None]:
        began, request_id, who = time.perf_counter(), call.request_id, "?"
        self._metrics.began(call.method)
        status: Status | None = None
        code = "OK"
        context.set_trailing_metadata((("x-request-id", request_id),))
        try:
            subjects = _subjects(context) if self._has_subjects else ()
            caller = identify(self._credentials, call.metadata.get("authorization"), subjects)
            set_caller(caller)
            who = caller.name if caller is not ANYBODY else _host(context)
            is_long = call.method in _LONG
            with (
                self._admission.admit(who, is_long=is_long),
                self._tracing.span(call.method, call.metadata),
            ):
                yield
        except asyncio.CancelledError:
            code = "CANCELLED"
            raise
        except grpc.aio.AbortError:
            code = "ABORTED"
            raise
        except Exception as error:
            status = _status(error, request_id)
            code = status.code.name
        finally:
            reason = status.reason if status is not None else ""
            seconds = time.perf_counter() - began
            self._metrics.ended(call.method, code, reason, seconds)
            _log(call.method, who, request_id, code, reason, seconds)
        if status is not None:
            await _abort(context, status, request_id)


def _parsed(handler: Any, raw: bytes) -> Any:
    try:
        return handler.request_deserializer(raw)
    except DecodeError:
        raise CallError(
            Status(
                grpc.StatusCode.INVALID_ARGUMENT,
                "MALFORMED_MESSAGE",
                f"The request, {len(raw)} bytes, is not a message of this method.",
            )
        ) from None


def _status(error: Exception, request_id: str) -> Status:
    status = status_of(error, request_id)
    if status.code is grpc.StatusCode.INTERNAL:
        LOGGER.error(
            "a call failed by a defect", exc_info=error, extra={"facts": {"incident": request_id}}
        )
    return status


async def _abort(context: Any, status: Status, request_id: str) -> None:
    message = to_proto(status)
    trailing = ((_DETAILS_KEY, message.SerializeToString()), ("x-request-id", request_id))
    await context.abort(status.code, message.message, trailing_metadata=trailing)


def _log(method: str, who: str, request_id: str, code: str, reason: str, seconds: float) -> None:
    level = logging.INFO if code in {"OK", "CANCELLED"} else logging.WARNING
    if LOGGER.isEnabledFor(level):
        facts = {
            "method": method,
            "caller": who,
            "request_id": request_id,
            "code": code,
            "reason": reason,
            "seconds": round(seconds, 4),
        }
        LOGGER.log(level, "call", extra={"facts": facts})


def _subjects(context: Any) -> list[str]:
    """Common names of the client's certificate, which TLS has verified."""
    names = (context.auth_context() or {}).get("x509_common_name", ())
    return [name.decode("utf-8", "replace") for name in names]


def _host(context: Any) -> str:
    """Where an unnamed caller calls from, without the port, which every connection has anew."""
    peer = str(context.peer() or "unknown")
    return peer.rpartition(":")[0] if peer.startswith(("ipv4:", "ipv6:")) else peer
