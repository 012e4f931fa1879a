"""Where a server listens, and how: addresses, TLS, and what gRPC is to do with connections."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import grpc

from transferscore.errors import InputError
from transferscore_server.settings import Settings

__all__ = ["channel_options", "listen"]


def channel_options(settings: Settings) -> list[tuple[str, int]]:
    """Options of the server; without the first two, gRPC takes 4 MiB in and anything out."""
    return [
        ("grpc.max_receive_message_length", settings.limits.max_message_bytes),
        ("grpc.max_send_message_length", settings.limits.max_message_bytes),
        # By default a message of more than 64 KiB waits for the sender to be told to go on, and is
        # cut into frames of 16 KiB, each of which costs a system call or more.
        ("grpc.http2.lookahead_bytes", 4 * 2**20),
        ("grpc.http2.max_frame_size", 2**20),
        # Two servers on one port would each get some of the calls.
        ("grpc.so_reuseport", 0),
        ("grpc.keepalive_time_ms", 60_000),
        ("grpc.keepalive_timeout_ms", 20_000),
        # Clients that ping every ten seconds are eager, not hostile.
        ("grpc.http2.min_recv_ping_interval_without_data_ms", 10_000),
        ("grpc.keepalive_permit_without_calls", 1),
    ]


def listen(server: Any, settings: Settings) -> tuple[str, ...]:
    """Take the addresses of the settings; returns them with their ports.

    Raises:
        InputError: One is taken or is no address, or a certificate cannot be used.
    """
    credentials = _tls(settings)
    return tuple(_bound(server, address, credentials) for address in settings.listen)


def _bound(server: Any, address: str, credentials: Any) -> str:
    is_local = address.startswith("unix:")
    try:
        if credentials is None or is_local:
            port = server.add_insecure_port(address)
        else:
            port = server.add_secure_port(address, credentials)
    except RuntimeError:
        raise InputError(
            f"`listen` must be a free address `host:port` or `unix:/path`; got {address!r}. With "
            "TLS, certificate and key must be PEM files that belong together."
        ) from None
    return address if is_local else f"{address.rpartition(':')[0]}:{port}"


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
