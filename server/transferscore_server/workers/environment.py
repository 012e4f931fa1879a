"""The environment of a worker: what it needs to run models, and nothing that opens doors."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping

__all__ = ["worker_environment"]

_NEEDED = frozenset(
    {
        "CUDA_HOME",
        "HF_HOME",
        "HF_HUB_CACHE",
        "HOME",
        "LANG",
        "LC_ALL",
        "LD_LIBRARY_PATH",
        "LOGNAME",
        "PATH",
        "TMPDIR",
        "TORCH_HOME",
        "TRANSFERSCORE_CACHE",
        "TZ",
        "USER",
        "VIRTUAL_ENV",
        "XDG_CACHE_HOME",
    }
)
_NEEDED_PREFIXES = ("CUDA_", "NVIDIA_", "PYTORCH_", "OMP_", "MKL_", "OPENBLAS_", "KMP_")
# What reaches a model hub through a proxy, or with an account; only where fetching is allowed.
_ONLINE = frozenset(
    {
        "HF_ENDPOINT",
        "HF_TOKEN",
        "HTTPS_PROXY",
        "HTTP_PROXY",
        "NO_PROXY",
        "REQUESTS_CA_BUNDLE",
        "SSL_CERT_DIR",
        "SSL_CERT_FILE",
        "http_proxy",
        "https_proxy",
        "no_proxy",
    }
)
_OFFLINE = {
    "HF_HUB_OFFLINE": "1",
    "TRANSFORMERS_OFFLINE": "1",
    "HF_DATASETS_OFFLINE": "1",
    "HF_HUB_DISABLE_IMPLICIT_TOKEN": "1",
    "HF_TOKEN_PATH": os.devnull,
}
_THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")


def worker_environment(
    environment: Mapping[str, str], device: str, *, offline: bool, n_threads: int
) -> dict[str, str]:
    """The environment of the worker of `device`.

    Args:
        environment: That of the front.
        device: "cpu", or "cuda:N" for the N-th GPU that the front may use.
        offline: Whether nothing is fetched: then no token and no proxy is passed on.
        n_threads: Threads for matrix products, where the front's environment says nothing of any.
    """
    passed = _NEEDED if offline else _NEEDED | _ONLINE
    kept = {
        name: value
        for name, value in environment.items()
        if name in passed or name.startswith(_NEEDED_PREFIXES)
    }
    visible = _visible_devices(environment.get("CUDA_VISIBLE_DEVICES"), device)
    # One alone speaks for all: the libraries' own variables would go before it.
    threads = {} if kept.keys() & set(_THREADS) else dict.fromkeys(_THREADS, str(n_threads))
    return {
        **threads,
        **kept,
        **(_OFFLINE if offline else {}),
        "CUDA_VISIBLE_DEVICES": visible,
        # The worker finds the same packages as the front, whatever folder it was started from.
        "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),
        "PYTHONSAFEPATH": "1",
        "PYTHONUNBUFFERED": "1",
    }


def _visible_devices(visible: str | None, device: str) -> str:
    kind, _, number = device.partition(":")
    if kind != "cuda":
        return ""
    index = int(number or 0)
    allowed = [entry for entry in (visible or "").split(",") if entry]
    return allowed[index] if index < len(allowed) else str(index)
