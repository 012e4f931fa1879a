"""What a caller is told when a call fails: one table from exception to status, with details.

Every status carries a `google.rpc.ErrorInfo` with a stable reason; a caller's mistake a
`BadRequest` with the fields, a missing resource a `ResourceInfo`, a busy server a `RetryInfo`.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import grpc
from google.protobuf import any_pb2, duration_pb2
from google.rpc import error_details_pb2, status_pb2

from transferscore.errors import (
    EncoderError,
    InputError,
    MissingExtraError,
    StoreError,
    TransferScoreError,
    UnknownNameError,
)
from transferscore_server.store import errors as stored
from transferscore_server.workers.device_worker import WorkerStartError

__all__ = [
    "DOMAIN",
    "CallError",
    "Status",
    "aborted",
    "denied",
    "exhausted",
    "invalid",
    "not_found",
    "precondition",
    "status_of",
    "to_proto",
    "unauthenticated",
    "unavailable",
]

DOMAIN = "transferscore.dev"
# A status travels in HTTP/2 headers: above 8 KiB clients begin to report another error instead.
_MAX_DETAIL_BYTES = 6 * 1024
_MAX_MESSAGE = 1500
_MAX_VIOLATIONS = 20


@dataclass(frozen=True, slots=True)
class Status:
    """What a failed call ends with.

    Attributes:
        code: The gRPC status code.
        reason: Stable name of the cause, in capitals.
        message: What was expected, what came, where, and what to do.
        violations: Field path to what is wrong with it.
        metadata: Facts for machines, for example what is committed of an upload.
        resource: Kind and name of the resource that it is about.
        retry_seconds: When to try again; None where trying again would not help.
    """

    code: grpc.StatusCode
    reason: str
    message: str
    violations: Mapping[str, str] = field(default_factory=dict)
    metadata: Mapping[str, str] = field(default_factory=dict)
    resource: tuple[str, str] | None = None
    retry_seconds: float | None = None


class CallError(TransferScoreError):
    """A call that fails on purpose; it knows its status."""

    def __init__(self, status: Status) -> None:
        super().__init__(status.message)
        self.status = status


def invalid(name: str, description: str) -> CallError:
    """A field of the request is wrong: INVALID_ARGUMENT."""
    return CallError(
        Status(
            grpc.StatusCode.INVALID_ARGUMENT,
            "INVALID_FIELD",
            f"`{name}` {description}",
            violations={name: description},
        )
    )


def not_found(kind: str, name: str) -> CallError:
    """There is no such resource, or it is in a project that the caller may not know of."""
    return CallError(
        Status(
            grpc.StatusCode.NOT_FOUND,
            "NOT_FOUND",
            f"There is no {kind} `{_short(name)}`; list those that there are.",
            resource=(f"{DOMAIN}/{kind.capitalize()}", _short(name)),
        )
    )


def denied(reason: str, message: str) -> CallError:
    """The caller is known, and may not."""
    return CallError(Status(grpc.StatusCode.PERMISSION_DENIED, reason, message))


def unauthenticated(message: str) -> CallError:
    """The caller is not known."""
    return CallError(Status(grpc.StatusCode.UNAUTHENTICATED, "UNAUTHENTICATED", message))


def precondition(reason: str, message: str, **metadata: str) -> CallError:
    """The request is well made and cannot be carried out as things stand."""
    return CallError(
        Status(grpc.StatusCode.FAILED_PRECONDITION, reason, message, metadata=metadata)
    )


def aborted(reason: str, message: str, **metadata: str) -> CallError:
    """Somebody else was faster, or bytes were damaged on the way: start again from what is said."""
    return CallError(Status(grpc.StatusCode.ABORTED, reason, message, metadata=metadata))


def exhausted(reason: str, message: str, retry_seconds: float | None = None) -> CallError:
    """A limit is reached. With `retry_seconds`, the same call will do later."""
    return CallError(
        Status(grpc.StatusCode.RESOURCE_EXHAUSTED, reason, message, retry_seconds=retry_seconds)
    )


def unavailable(reason: str, message: str, retry_seconds: float = 1.0) -> CallError:
    """Not now: the server is stopping, or something that it needs is away for a while."""
    return CallError(
        Status(grpc.StatusCode.UNAVAILABLE, reason, message, retry_seconds=retry_seconds)
    )


# The first class that an exception is an instance of decides. Messages of our own exceptions are
# made for callers; those of anything else may hold paths, so that the caller gets none of them.
_CODES: list[tuple[type[BaseException], grpc.StatusCode, str]] = [
    (stored.NotFoundError, grpc.StatusCode.NOT_FOUND, ""),
    (stored.AlreadyExistsError, grpc.StatusCode.ALREADY_EXISTS, ""),
    (stored.RequestReusedError, grpc.StatusCode.FAILED_PRECONDITION, ""),
    (stored.EtagMismatchError, grpc.StatusCode.ABORTED, ""),
    (stored.InUseError, grpc.StatusCode.FAILED_PRECONDITION, ""),
    (stored.PageTokenError, grpc.StatusCode.INVALID_ARGUMENT, ""),
    (stored.QueueFullError, grpc.StatusCode.RESOURCE_EXHAUSTED, ""),
    (stored.QuotaError, grpc.StatusCode.RESOURCE_EXHAUSTED, ""),
    (stored.StoreBusyError, grpc.StatusCode.UNAVAILABLE, ""),
    (stored.StoreFullError, grpc.StatusCode.RESOURCE_EXHAUSTED, ""),
    (stored.OffsetError, grpc.StatusCode.OUT_OF_RANGE, ""),
    (stored.ChunkCorruptError, grpc.StatusCode.ABORTED, ""),
    (stored.DigestError, grpc.StatusCode.FAILED_PRECONDITION, ""),
    (stored.TooLargeError, grpc.StatusCode.RESOURCE_EXHAUSTED, ""),
    (WorkerStartError, grpc.StatusCode.UNAVAILABLE, ""),
    (UnknownNameError, grpc.StatusCode.INVALID_ARGUMENT, "UNKNOWN_NAME"),
    (InputError, grpc.StatusCode.INVALID_ARGUMENT, "INVALID_INPUT"),
    (MissingExtraError, grpc.StatusCode.FAILED_PRECONDITION, "NOT_INSTALLED"),
    (EncoderError, grpc.StatusCode.FAILED_PRECONDITION, "MODEL_UNUSABLE"),
    (StoreError, grpc.StatusCode.UNAVAILABLE, "STORE_UNAVAILABLE"),
]
_FOREIGN: list[tuple[type[BaseException], grpc.StatusCode, str, str]] = [
    (
        MemoryError,
        grpc.StatusCode.RESOURCE_EXHAUSTED,
        "OUT_OF_MEMORY",
        "The call needs more memory than one call may have; send less, or stream it.",
    ),
    (
        TimeoutError,
        grpc.StatusCode.DEADLINE_EXCEEDED,
        "TIME_LIMIT",
        "The call took longer than the server allows (Limits.max_unary_time).",
    ),
    (
        sqlite3.OperationalError,
        grpc.StatusCode.UNAVAILABLE,
        "DATABASE_UNAVAILABLE",
        "The server's database cannot be used at the moment; try again.",
    ),
]
_RETRIES = {grpc.StatusCode.UNAVAILABLE: 1.0}


def status_of(error: BaseException, incident: str = "") -> Status:
    """The status that a caller is told for an exception.

    Args:
        error: What was raised.
        incident: What the log knows a defect by.

    Returns:
        Never UNKNOWN; INTERNAL for defects of the server only, without a word of their message.
    """
    if isinstance(error, CallError):
        return error.status
    for kind, code, reason in _CODES:
        if isinstance(error, kind):
            return _known(error, code, reason)
    for kind, code, reason, message in _FOREIGN:
        if isinstance(error, kind):
            return Status(code, reason, message, retry_seconds=_RETRIES.get(code))
    return Status(
        grpc.StatusCode.INTERNAL,
        "INTERNAL",
        f"The server failed; its log has the cause under incident {incident!r}.",
        metadata={"incident": incident},
    )


def _known(error: BaseException, code: grpc.StatusCode, reason: str) -> Status:
    """The status of one of our own exceptions, with the facts that it carries."""
    committed = getattr(error, "committed", None)
    name = getattr(error, "name", None)
    return Status(
        code,
        reason or getattr(error, "reason", ""),
        str(error),
        metadata={} if committed is None else {"committed": str(committed)},
        resource=_resource(name) if isinstance(name, str) and "/" in name else None,
        retry_seconds=getattr(error, "retry_seconds", _RETRIES.get(code)),
    )


def _resource(name: str) -> tuple[str, str]:
    """Kind and name of a resource, the kind by its collection."""
    kind = name.split("/")[-2].removesuffix("s").capitalize()
    return f"{DOMAIN}/{kind}", _short(name)


def to_proto(status: Status) -> status_pb2.Status:
    """The status as google.rpc.Status, its details within what headers can carry."""
    code: Any = status.code.value[0]
    message = status_pb2.Status(code=code, message=_short(status.message, _MAX_MESSAGE))
    for detail in _details(status):
        packed = any_pb2.Any()
        packed.Pack(detail)
        if message.ByteSize() + packed.ByteSize() <= _MAX_DETAIL_BYTES:
            message.details.append(packed)
    return message


def _details(status: Status) -> list[Any]:
    """Most important first: where space ends, the last are left out."""
    metadata = {key: _short(value) for key, value in status.metadata.items()}
    details: list[Any] = [
        error_details_pb2.ErrorInfo(reason=status.reason, domain=DOMAIN, metadata=metadata)
    ]
    if status.retry_seconds is not None:
        delay = duration_pb2.Duration()
        delay.FromNanoseconds(int(status.retry_seconds * 1e9))
        details.append(error_details_pb2.RetryInfo(retry_delay=delay))
    if status.resource is not None:
        kind, name = status.resource
        details.append(error_details_pb2.ResourceInfo(resource_type=kind, resource_name=name))
    if status.violations:
        pairs = list(status.violations.items())[:_MAX_VIOLATIONS]
        details.append(
            error_details_pb2.BadRequest(
                field_violations=[
                    error_details_pb2.BadRequest.FieldViolation(
                        field=_short(name), description=_short(description)
                    )
                    for name, description in pairs
                ]
            )
        )
    return details


def _short(text: str, at_most: int = 200) -> str:
    """One line of valid UTF-8 of bounded size: names and messages may come from anybody."""
    line = " ".join(text.encode("utf-8", "replace").decode("utf-8").split())
    return line if len(line) <= at_most else line[: at_most - 1] + "…"
