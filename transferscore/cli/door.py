"""Which door a command goes through: this process, or a server."""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable
from typing import Any

from transferscore.errors import InputError

__all__ = ["add_server_options", "rank_of"]


def add_server_options(parser: argparse.ArgumentParser) -> None:
    """Add the options that name a server."""
    parser.add_argument(
        "--server",
        metavar="HOST:PORT",
        help="rank on this server; TRANSFERSCORE_TOKEN is sent where it is set",
    )
    parser.add_argument(
        "--server-ca", metavar="FILE", help="PEM file of the server's authority; turns TLS on"
    )
    parser.add_argument(
        "--client-certificate", metavar="FILE", help="PEM file of your own chain, for mutual TLS"
    )
    parser.add_argument("--client-key", metavar="FILE", help="PEM file of its private key")
    parser.add_argument("--project", default="default", help="project on the server")


def rank_of(options: argparse.Namespace) -> Callable[..., Any]:
    """`rank`, or what asks the server that the options name for the same.

    Raises:
        InputError: An option only has a meaning in this process.
    """
    if options.server is None:
        from transferscore.rank import rank

        return rank
    if options.no_cache or options.trust_remote_code:
        raise InputError(
            "`--no-cache` and `--trust-remote-code` are up to the server, not to who calls it; "
            "leave them out with `--server`."
        )
    return _Remote(options)


class _Remote:
    """`rank` on a server."""

    def __init__(self, options: argparse.Namespace) -> None:
        self._options = options

    def __call__(self, dataset: Any, models: Any, **options: Any) -> Any:
        from transferscore.client import Access, Client

        asked = self._options
        token = os.environ.get("TRANSFERSCORE_TOKEN")
        access = Access(token, asked.server_ca, asked.client_certificate, asked.client_key)
        given = {n: v for n, v in options.items() if n not in {"cache", "trust_remote_code"}}
        with Client(asked.server, project=asked.project, access=access) as client:
            return client.rank(dataset, models, **given)
