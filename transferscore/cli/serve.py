"""`transferscore serve`: the gRPC service."""

from __future__ import annotations

import argparse
import asyncio
import getpass
import os
import signal
import sys
from typing import Any

from transferscore.errors import MissingExtraError

__all__ = ["add_parser", "run"]

# Flags that take their setting's name, and what they say of themselves.
_TEXTS = {
    "tls_certificate": "PEM file of the server's certificate chain",
    "tls_key": "PEM file of its private key",
    "tls_client_ca": "PEM file of the authority that client certificates must come from",
    "token_file": "file of callers: NAME PROJECTS sha256:HEX a line",
    "data_dir": "folder of database, uploads and features",
    "database_url": "SQLAlchemy URL; default: SQLite in the data folder",
    "metrics_listen": "host:port of Prometheus metrics; default: none",
    "log_level": "debug, info, warning or error; default: info",
}
_LISTS = {
    "listen": "host:port or unix:/path; may be repeated; default: 127.0.0.1:50051",
    "data_roots": "folder that dataset URIs may name; may be repeated",
    "model_roots": "folder that model URIs may name; may be repeated",
    "model_schemes": "scheme of model URIs that may be named; may be repeated; default: onnx, "
    "export, hf, features, vectors",
    "devices": "auto, cpu or cuda:N; may be repeated; default: auto",
}
_SWITCHES = {
    "insecure_listen": "listen beyond this machine without TLS",
    "hub": "let models be named on the Hugging Face hub, and fetch them",
    "trace": "make OpenTelemetry spans",
}


def add_parser(verbs: Any, common: argparse.ArgumentParser) -> None:
    """Add the verb to the command."""
    parser = verbs.add_parser(
        "serve",
        parents=[common],
        help="run the gRPC service",
        description="The gRPC service. Flags go before the environment (TS_LISTEN and so on), that "
        "before the TOML file of --config; --print-config shows every setting.",
    )
    parser.add_argument("--config", metavar="FILE", help="TOML file of settings")
    for name, about in _LISTS.items():
        parser.add_argument(_flag(name), dest=name, action="append", metavar="X", help=about)
    for name, about in _TEXTS.items():
        parser.add_argument(_flag(name), dest=name, metavar="X", help=about)
    for name, about in _SWITCHES.items():
        parser.add_argument(_flag(name), dest=name, action="store_true", default=None, help=about)
    parser.add_argument("--scorers", type=int, metavar="N", help="scorer processes; default: cores")
    parser.add_argument(
        "--drain-seconds", type=float, metavar="S", help="how long calls may finish; default: 30"
    )
    parser.add_argument("--print-config", action="store_true", help="show the settings and end")
    parser.add_argument("--hash-token", action="store_true", help="hash a token from stdin and end")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Serve until SIGTERM or SIGINT; a second one ends at once."""
    try:
        from transferscore_server.access import hash_token
        from transferscore_server.settings import load_settings, to_toml
    except ImportError as error:
        raise MissingExtraError.of(str(error.name), "server", "`transferscore serve`") from None
    if options.hash_token:
        prompt = sys.stdin.isatty()
        token = getpass.getpass("token: ") if prompt else sys.stdin.readline().strip()
        print(hash_token(token))
        return 0
    settings = load_settings(_flags(options), os.environ, options.config)
    if options.print_config:
        print(to_toml(settings))
        return 0
    return asyncio.run(_serve(settings))


async def _serve(settings: Any) -> int:
    try:
        from transferscore_server.allocation import keep_freed_memory, leave_alone_what_is_loaded
        from transferscore_server.app import start_server
        from transferscore_server.logs import configure_logs
        from transferscore_server.precedence import answer_soon
    except ImportError as error:
        raise MissingExtraError.of(str(error.name), "server", "`transferscore serve`") from None
    configure_logs(settings.log_level)
    keep_freed_memory()
    answer_soon()
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):  # first: starting may take seconds
        loop.add_signal_handler(number, _asked, stop)
    server = await start_server(settings)
    leave_alone_what_is_loaded()
    print(f"transferscore: serving at {', '.join(server.addresses)}", flush=True)
    await stop.wait()
    await server.stop()
    return 0


def _asked(stop: asyncio.Event) -> None:
    """Stop; whoever asks twice does not want to wait."""
    if stop.is_set():
        os._exit(1)
    stop.set()


def _flags(options: argparse.Namespace) -> dict[str, Any]:
    names = [*_LISTS, *_TEXTS, *_SWITCHES, "scorers", "drain_seconds"]
    flags = {name: getattr(options, name) for name in names}
    return {n: tuple(v) if isinstance(v, list) else v for n, v in flags.items()}


def _flag(name: str) -> str:
    # A flag that may be repeated names one of its kind.
    word = name.removesuffix("s") if name in _LISTS else name
    return "--" + word.replace("_", "-")
