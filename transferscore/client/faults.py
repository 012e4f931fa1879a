"""What went wrong on a server, as the exceptions that the library itself would raise."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import grpc
from google.rpc import error_details_pb2, status_pb2

from transferscore.errors import (
    EncoderError,
    InputError,
    MissingExtraError,
    ServerError,
    TransferScoreError,
    UnknownNameError,
)

__all__ = ["Fault", "error_of", "fault_of"]

_DETAILS_KEY = "grpc-status-details-bin"
_KINDS: dict[str, type[TransferScoreError]] = {
    "UNKNOWN_NAME": UnknownNameError,
    "INVALID_INPUT": InputError,
    "INVALID_FIELD": InputError,
    "MODEL_UNUSABLE": EncoderError,
    "NOT_INSTALLED": MissingExtraError,
}


@dataclass(frozen=True, slots=True)
class Fault:
    """A failed call.

    Attributes:
        code: Name of its status code.
        reason: Stable reason, empty where the server gave none.
        message: What it said.
        metadata: Facts that came with the reason.
        retry_seconds: When the server wants to be asked again; None for never.
    """

    code: str
    reason: str
    message: str
    metadata: dict[str, str]
    retry_seconds: float | None


def fault_of(error: Any) -> Fault:
    """What a failed call says."""
    info, retry = error_details_pb2.ErrorInfo(), None
    for detail in _details(error):
        if detail.Is(info.DESCRIPTOR):
            detail.Unpack(info)
        elif detail.Is(error_details_pb2.RetryInfo.DESCRIPTOR):
            delay = error_details_pb2.RetryInfo()
            detail.Unpack(delay)
            retry = delay.retry_delay.ToNanoseconds() / 1e9
    code = error.code() or grpc.StatusCode.UNKNOWN
    return Fault(code.name, info.reason, error.details() or "", dict(info.metadata), retry)


def error_of(fault: Fault, address: str) -> TransferScoreError:
    """The exception that a caller of the library would expect."""
    if (kind := _KINDS.get(fault.reason)) is not None:
        return kind(fault.message)
    said = fault.message or "it gave no reason"
    if fault.code == "UNAVAILABLE" and not fault.reason:
        said = f"it cannot be reached{_hint(said)} ({said})"
    return ServerError(f"The server at `{address}`: {said}", fault.code, fault.reason)


def _hint(said: str) -> str:
    """What mostly is wrong where something listens, and closes the connection at once."""
    if any(sign in said for sign in ("Socket closed", "Connection reset", "handshake", "SSL")):
        return "; it may want TLS (`--server-ca`), a certificate of yours, or no TLS at all"
    return ""


def _details(error: Any) -> Any:
    for key, value in error.trailing_metadata() or ():
        if key == _DETAILS_KEY:
            try:
                return status_pb2.Status.FromString(value).details
            except ValueError:
                return ()
    return ()
