"""Settings of a server: flags go before the environment (`TS_*`), that before a TOML file."""

from __future__ import annotations

import math
import re
import tomllib
from collections.abc import Mapping
from dataclasses import Field, dataclass, field, fields
from pathlib import Path
from typing import Any

from transferscore.encoders.registry import ADAPTERS
from transferscore.errors import InputError

__all__ = ["Limits", "Settings", "load_settings", "to_toml"]

_MIB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Limits:
    """What the server refuses to exceed; GetServerInfo tells all of it."""

    max_message_bytes: int = 16 * _MIB
    max_chunk_bytes: int = _MIB
    max_dataset_bytes: int = 10 * 1024 * _MIB
    max_stream_bytes: int = 0
    max_stream_features: int = 4096
    max_stream_classes: int = 10_000
    max_candidates: int = 500
    max_queued_rankings: int = 64
    max_project_rankings: int = 16
    max_page_size: int = 1000
    max_concurrent_calls: int = 64
    max_watches: int = 1024
    max_unary_seconds: float = 60.0
    upload_expiry_seconds: float = 86_400.0
    watch_heartbeat_seconds: float = 15.0


@dataclass(frozen=True, slots=True)
class Settings:
    """What a server is started with.

    Attributes:
        listen: Addresses: `host:port`, `[::1]:port` or `unix:/path`; port 0 takes a free one.
        insecure_listen: Whether to listen beyond this machine without TLS.
        tls_certificate: PEM file of the server's certificate chain.
        tls_key: PEM file of its private key.
        tls_client_ca: PEM file of the authority of client certificates; set, they are required.
        token_file: File of hashed tokens.
        tokens: Tokens by the environment; never shown.
        data_dir: Folder of the database, the uploads and the features.
        database_url: SQLAlchemy URL; by default an SQLite file in `data_dir`.
        data_roots: Folders that dataset URIs may name; none by default.
        model_roots: Folders that model URIs may name; none by default.
        model_schemes: Schemes of model URIs that may be named.
        hub: Whether models may be named on the Hugging Face hub, and fetched from there.
        devices: Devices that models run on: "auto" is every CUDA device, or else the CPU.
        scorers: Scorer processes; 0 is one a core.
        scorer_memory_bytes: Address space of one; 0 is no limit.
        model_memory_bytes: Memory of a worker above which it gives up loaded models, the least
            recently used first; 0 is a quarter of the machine's or the container's.
        worker_memory_bytes: Memory above which a worker is replaced between rankings; 0 is half of
            the machine's or the container's.
        metrics_listen: Address of Prometheus metrics; empty for none.
        reflection: Whether the services describe themselves.
        log_level: "debug", "info", "warning" or "error".
        drain_seconds: How long a stopping server lets calls finish.
        drain_delay_seconds: How long it says that it stops before it refuses calls.
        trace: Whether to make OpenTelemetry spans.
        limits: What it refuses to exceed.
    """

    listen: tuple[str, ...] = ("127.0.0.1:50051",)
    insecure_listen: bool = False
    tls_certificate: str = ""
    tls_key: str = ""
    tls_client_ca: str = ""
    token_file: str = ""
    tokens: str = ""
    data_dir: str = "~/.local/share/transferscore"
    database_url: str = ""
    data_roots: tuple[str, ...] = ()
    model_roots: tuple[str, ...] = ()
    model_schemes: tuple[str, ...] = ("onnx", "export", "hf", "features", "vectors")
    hub: bool = False
    devices: tuple[str, ...] = ("auto",)
    scorers: int = 0
    scorer_memory_bytes: int = 0
    model_memory_bytes: int = 0
    worker_memory_bytes: int = 0
    metrics_listen: str = ""
    reflection: bool = True
    log_level: str = "info"
    drain_seconds: float = 30.0
    drain_delay_seconds: float = 0.0
    trace: bool = False
    limits: Limits = field(default_factory=Limits)


_SECRET = {"tokens"}
_NOT_NEGATIVE = (
    "scorers",
    "scorer_memory_bytes",
    "model_memory_bytes",
    "worker_memory_bytes",
    "drain_seconds",
    "drain_delay_seconds",
)
_PREFIX = "TS_"
_PASSWORD = re.compile(r"(://[^:/@]*:)[^@]*@|([?&](?:ssl)?password=)[^&]*")


def load_settings(
    flags: Mapping[str, Any], environment: Mapping[str, str], file: str | None = None
) -> Settings:
    """The settings of a server.

    Args:
        flags: Name to value of what the command line says; None where it says nothing.
        environment: `TS_LISTEN`, `TS_MAX_MESSAGE_BYTES` and so on; lists separated by commas.
        file: A TOML file with the same names in small letters; limits in a table `[limits]`.

    Raises:
        InputError: A name is not known or a value is not of its kind.
    """
    known = _known()
    merged = _from_file(file, known) | _from_environment(environment, known)
    merged |= {name: value for name, value in flags.items() if value is not None}
    limits = {f.name: merged.pop(f.name) for f in fields(Limits) if f.name in merged}
    settings = Settings(**merged, limits=Limits(**limits))
    _check(settings)
    return settings


def to_toml(settings: Settings) -> str:
    """The settings as a TOML file, secrets masked."""
    lines = [
        f"{f.name} = {_toml(getattr(settings, f.name), f.name)}"
        for f in fields(Settings)
        if f.name != "limits"
    ]
    lines += ["", "[limits]"]
    lines += [f"{f.name} = {_toml(getattr(settings.limits, f.name))}" for f in fields(Limits)]
    return "\n".join(lines)


def _known() -> dict[str, Field[Any]]:
    own = {f.name: f for f in fields(Settings) if f.name != "limits"}
    return own | {f.name: f for f in fields(Limits)}


def _from_file(file: str | None, known: Mapping[str, Field[Any]]) -> dict[str, Any]:
    if not file:
        return {}
    try:
        content = tomllib.loads(Path(file).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(f"The settings file `{file}` cannot be read: {error}.") from None
    limits = content.pop("limits", {})
    if not isinstance(limits, dict):
        raise InputError(f"`limits` in `{file}` must be a table `[limits]`; got {limits!r}.")
    content |= limits
    for name in content:
        if name not in known:
            raise InputError(f"There is no setting `{name}` (in `{file}`); see --print-config.")
    return {
        name: _converted(value, known[name], f"`{name}` in `{file}`")
        for name, value in content.items()
    }


def _from_environment(
    environment: Mapping[str, str], known: Mapping[str, Field[Any]]
) -> dict[str, Any]:
    return {
        name: _converted(environment[_PREFIX + name.upper()], f, f"`{_PREFIX}{name.upper()}`")
        for name, f in known.items()
        if _PREFIX + name.upper() in environment
    }


def _converted(value: Any, f: Field[Any], where: str) -> Any:
    """A value of the file or the environment as the setting's own type."""
    kind = str(f.type)
    try:
        return _CONVERSIONS[kind](value)
    except (TypeError, ValueError):
        shown = "what it is" if f.name in _SECRET else repr(value)
        raise InputError(f"{where} must be {_WORDS[kind]}; got {shown}.") from None


def _boolean(value: Any) -> bool:
    words = {"1": True, "true": True, "yes": True, "0": False, "false": False, "no": False}
    if isinstance(value, bool):
        return value
    if str(value).lower() not in words:
        raise ValueError
    return words[str(value).lower()]


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value


def _texts(value: Any) -> tuple[str, ...]:
    listed = value.split(",") if isinstance(value, str) else list(value)
    return tuple(_text(each).strip() for each in listed if _text(each).strip())


def _number(value: Any) -> float:
    if isinstance(value, bool):
        raise TypeError
    return float(value)


def _whole(value: Any) -> int:
    if isinstance(value, bool | float):
        raise TypeError
    return int(value)


_CONVERSIONS: Mapping[str, Any] = {
    "bool": _boolean,
    "str": _text,
    "tuple[str, ...]": _texts,
    "float": _number,
    "int": _whole,
}
_WORDS = {
    "bool": "true or false",
    "str": "a text",
    "tuple[str, ...]": "a list of texts",
    "float": "a number",
    "int": "a whole number",
}


def _check(settings: Settings) -> None:
    """Refuse what cannot work or would be unsafe, before anything is started."""
    if bool(settings.tls_certificate) != bool(settings.tls_key):
        raise InputError("`tls_certificate` and `tls_key` go together; one of them is not set.")
    if settings.tls_client_ca and not settings.tls_certificate:
        raise InputError("`tls_client_ca` needs `tls_certificate` and `tls_key` as well.")
    if not settings.listen:
        raise InputError("`listen` must name at least one address; got none.")
    for address in settings.listen:
        _check_address(address)
    for f in fields(Limits):
        _check_number(f.name, getattr(settings.limits, f.name))
    for name in _NOT_NEGATIVE:
        _check_number(name, getattr(settings, name))
    for scheme in settings.model_schemes:
        if scheme not in ADAPTERS:
            raise InputError(
                f"`model_schemes` must be of {', '.join(sorted(ADAPTERS))}; got {scheme!r}."
            )
    open_addresses = [a for a in settings.listen if not _is_local(a)]
    if open_addresses and not settings.tls_certificate and not settings.insecure_listen:
        raise InputError(
            f"`{open_addresses[0]}` is reached from other machines, and there is no TLS: set "
            "`tls_certificate` and `tls_key`, or `insecure_listen` where something in front does."
        )


def _check_number(name: str, value: float) -> None:
    if not 0 <= value < math.inf:
        raise InputError(f"`{name}` must be a finite number, and not negative; got {value}.")


def _check_address(address: str) -> None:
    """GRPC itself takes a port that is none for some other port."""
    host, _, port = address.rpartition(":")
    is_port = port.isascii() and port.isdigit() and int(port) < 2**16
    if not address.startswith("unix:") and not (host and is_port):
        raise InputError(
            f"`listen` must be `host:port`, the port 0 to 65535, or `unix:/path`; got {address!r}."
        )


def _is_local(address: str) -> bool:
    host = address.rpartition(":")[0]
    return address.startswith("unix:") or host in {"127.0.0.1", "localhost", "[::1]"}


def _toml(value: Any, name: str = "") -> str:
    if name in _SECRET and value:
        return '"***"'
    if name == "database_url":
        value = _PASSWORD.sub(lambda at: f"{at[1]}***@" if at[1] else f"{at[2]}***", value)
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple):
        return "[" + ", ".join(_toml(each) for each in value) + "]"
    if isinstance(value, str):
        escaped = value.replace("\\", "\\\\").replace('"', '\\"')
        return f'"{escaped}"'
    return repr(value)
