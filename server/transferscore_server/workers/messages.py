"""Messages between the front and a worker: a line of JSON, and bytes where numbers are exact.

A frame is two big-endian 32-bit lengths, the JSON text and the bytes. Nothing is unpickled, so a
worker that was taken over by a model file can tell lies, but cannot run code in the front.
"""

from __future__ import annotations

import asyncio
import json
import socket
import struct
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

__all__ = ["Channel", "Message", "read_message", "write_message"]

_LENGTHS = struct.Struct(">II")


@dataclass(frozen=True, slots=True)
class Message:
    """One message.

    Attributes:
        kind: To a worker: "finished" (a candidate that needs no work), "run", "stop". From it:
            "ready"; "started", "progress", "candidate"; and one end of each run: "done", "failed"
            or "stopped".
        fields: What it says; JSON-able.
        content: Bytes that go with it.
    """

    kind: str
    fields: Mapping[str, Any] = field(default_factory=dict)
    content: bytes = b""


def _frame(message: Message) -> bytes:
    text = json.dumps({"kind": message.kind, **message.fields}).encode()
    return _LENGTHS.pack(len(text), len(message.content)) + text + message.content


def _message(text: bytes, content: bytes) -> Message:
    fields = json.loads(text)
    return Message(fields.pop("kind"), fields, content)


async def read_message(reader: asyncio.StreamReader) -> Message | None:
    """The next message in the front; None when the worker is gone."""
    try:
        text, content = _LENGTHS.unpack(await reader.readexactly(_LENGTHS.size))
        return _message(await reader.readexactly(text), await reader.readexactly(content))
    except (asyncio.IncompleteReadError, ConnectionError):
        return None


async def write_message(writer: asyncio.StreamWriter, message: Message) -> None:
    """Send a message from the front; one that the worker does not live to read is lost."""
    try:
        writer.write(_frame(message))
        await writer.drain()
    except ConnectionError:
        return


class Channel:
    """A worker's end: blocking, whole messages, any thread may send."""

    def __init__(self, connection: socket.socket) -> None:
        """Talk over a connected stream socket."""
        self._connection = connection
        self._lock = threading.Lock()

    def send(self, message: Message) -> None:
        """Send a message whole.

        Raises:
            ConnectionError: The front is gone.
        """
        with self._lock:
            self._connection.sendall(_frame(message))

    def receive(self) -> Message | None:
        """The next message; None when the front is gone."""
        try:
            text, content = _LENGTHS.unpack(self._exactly(_LENGTHS.size))
            return _message(self._exactly(text), self._exactly(content))
        except ConnectionError:
            return None

    def _exactly(self, n_bytes: int) -> bytes:
        parts = bytearray()
        while len(parts) < n_bytes:
            part = self._connection.recv(min(n_bytes - len(parts), 2**20))
            if not part:
                raise ConnectionResetError
            parts += part
        return bytes(parts)
