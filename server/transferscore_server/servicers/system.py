"""SystemService: what this server is and what it allows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from transferscore import __version__
from transferscore.v1 import system_service_pb2 as pb
from transferscore_server.jobs.status import DeviceStatus
from transferscore_server.settings import Settings
from transferscore_server.values.scoring import device_message, limits_message

__all__ = ["SystemServicer"]

_LIBRARIES = ("numpy", "scipy", "scikit-learn", "torch", "transformers", "onnxruntime")


class SystemServicer:
    """Information about the server."""

    def __init__(
        self, settings: Settings, devices: Callable[[], Sequence[DeviceStatus]] = tuple
    ) -> None:
        """Tell the settings, and what the devices do at the time of a call."""
        self._settings, self._devices = settings, devices

    async def GetServerInfo(self, _request: Any, _context: Any = None) -> Any:
        """Version, limits, devices and what may be named."""
        return pb.GetServerInfoResponse(
            version=__version__,
            limits=limits_message(self._settings.limits),
            devices=[device_message(status) for status in self._devices()],
            model_schemes=list(self._settings.model_schemes),
            data_schemes=["file"] if self._settings.data_roots else [],
            library_versions={name: found for name in _LIBRARIES if (found := _version(name))},
        )


def _version(library: str) -> str:
    try:
        return version(library)
    except PackageNotFoundError:
        return ""
