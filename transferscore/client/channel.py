"""How a client reaches a server: options, retries by the service config, TLS and tokens."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import grpc

from transferscore.errors import InputError

__all__ = ["MAX_MESSAGE_BYTES", "Access", "channel_options", "credentials", "metadata"]

MAX_MESSAGE_BYTES = 16 * 1024 * 1024
# Calls that may be made again when the server was not there: those that change nothing, and those
# that name what they do by a request_id or by the state that they lead to.
_REPEATABLE = {
    "transferscore.v1.DatasetService": (
        "CreateDataset",
        "StartUpload",
        "GetUpload",
        "FinalizeUpload",
        "GetDataset",
        "ListDatasets",
    ),
    "transferscore.v1.RankingService": (
        "CreateRanking",
        "GetRanking",
        "ListRankings",
        "CancelRanking",
    ),
    "transferscore.v1.ScoringService": ("ScoreFeatures", "ComputeDistances", "ListScorers"),
    "transferscore.v1.SystemService": ("GetServerInfo",),
}
# CANCELLED, of a call that we did not cancel, is how a server that stops refuses one that has
# reached it and was not yet begun.
_RETRY = {
    "maxAttempts": 5,
    "initialBackoff": "0.2s",
    "maxBackoff": "5s",
    "backoffMultiplier": 2.0,
    "retryableStatusCodes": ["UNAVAILABLE", "CANCELLED"],
}


@dataclass(frozen=True, slots=True)
class Access:
    """What a client proves itself and the server by.

    Attributes:
        token: Sent as a bearer token; over TLS or to this machine only.
        root_certificates: PEM file of the authority of the server's certificate; set, TLS is used.
        certificate: PEM file of the client's own certificate chain, for mutual TLS.
        key: PEM file of its private key.
    """

    token: str | None = field(default=None, repr=False)
    root_certificates: str | Path | None = None
    certificate: str | Path | None = None
    key: str | Path | None = None


def channel_options() -> list[tuple[str, Any]]:
    """Channel options; without keepalive, a connection that broke silently would hang a call."""
    methods = [
        {"service": service, "method": method}
        for service, methods in _REPEATABLE.items()
        for method in methods
    ]
    config = {
        "methodConfig": [{"name": methods, "retryPolicy": _RETRY}],
        "retryThrottling": {"maxTokens": 10, "tokenRatio": 0.1},
    }
    return [
        ("grpc.service_config", json.dumps(config)),
        ("grpc.max_send_message_length", MAX_MESSAGE_BYTES),
        ("grpc.max_receive_message_length", MAX_MESSAGE_BYTES),
        ("grpc.keepalive_time_ms", 30_000),
        ("grpc.keepalive_timeout_ms", 20_000),
        # By default the pauses between attempts to connect grow to two minutes: a server that has
        # long been there again would not be found before the time of a call is up.
        ("grpc.initial_reconnect_backoff_ms", 200),
        ("grpc.max_reconnect_backoff_ms", 2_000),
    ]


def credentials(address: str, access: Access) -> Any:
    """Channel credentials; None for a plain connection.

    Raises:
        InputError: A file cannot be read, a certificate comes without its key, or a token would
            travel unprotected.
    """
    if (access.certificate is None) is not (access.key is None):
        raise InputError("`certificate` and `key` go together; one of them is not given.")
    if access.root_certificates is None:
        if access.certificate is not None:
            raise InputError("`certificate` needs `root_certificates`, which turns TLS on.")
        if access.token and not _is_local(address):
            raise InputError(
                f"A token must not travel unprotected to `{address}`; give `root_certificates`, "
                "the PEM file of the server's authority."
            )
        return None
    files = [_read(file) for file in (access.root_certificates, access.key, access.certificate)]
    return grpc.ssl_channel_credentials(*files)


def metadata(access: Access) -> Sequence[tuple[str, str]]:
    """What goes with every call."""
    return (("authorization", f"Bearer {access.token}"),) if access.token else ()


def _read(file: str | Path | None) -> bytes | None:
    if file is None:
        return None
    try:
        return Path(file).read_bytes()
    except OSError as error:
        raise InputError(f"The PEM file `{file}` cannot be read: {error.strerror}.") from None


def _is_local(address: str) -> bool:
    host = address.rpartition(":")[0]
    return address.startswith("unix:") or host in {"localhost", "127.0.0.1", "[::1]"}
