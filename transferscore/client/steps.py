"""Steps of a conversation with a server, and what carries them out, waiting or awaiting.

What a client says is written once, as generators that yield steps and are sent what came of them;
`Driver` and `AsyncDriver` differ only in how they wait.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass, field
from typing import Any, TypeAlias, TypeVar

import grpc

from transferscore.client.faults import Fault, fault_of

__all__ = ["AsyncDriver", "Call", "Driver", "Failed", "Feed", "Pause", "Steps", "Stream"]

Result = TypeVar("Result")
_MOST_RETRIES = 5


class Failed(Exception):  # noqa: N818 -- a step that failed, for the generator to look at
    """A step failed, and trying it again as the server asked for did not help."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(fault.message)
        self.fault = fault


@dataclass(frozen=True, slots=True)
class Call:
    """One request, one response."""

    method: str
    request: Any
    response: Any
    seconds: float | None


@dataclass(frozen=True, slots=True)
class Feed:
    """Many requests; one response, or several, of which a list is made."""

    method: str
    requests: Callable[[], Iterator[Any]]
    response: Any
    seconds: float | None
    many: bool = False


@dataclass(frozen=True, slots=True)
class Stream:
    """One request, many responses, each given to `take` as it comes; the last is the result."""

    method: str
    request: Any
    response: Any
    seconds: float | None
    take: Callable[[Any], None] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Pause:
    """Some time."""

    seconds: float


Step: TypeAlias = Call | Feed | Stream | Pause
Steps: TypeAlias = Generator[Step, Any, Result]


@dataclass(slots=True)
class _Options:
    """How calls are made: a server that was there once is waited for, while time is left.

    One that never answered is likely not to be at that address, which is told at once.
    """

    metadata: Any
    is_reached: bool = False

    def of(self, step: Step) -> dict[str, Any]:
        seconds = getattr(step, "seconds", None)
        waits = self.is_reached and seconds is not None
        return {"timeout": seconds, "metadata": self.metadata, "wait_for_ready": waits}


class Driver:
    """Carries steps out, waiting for each."""

    def __init__(self, channel: Any, metadata: Any) -> None:
        """Speak over a `grpc.Channel`, `metadata` with every call."""
        self._channel, self._options = channel, _Options(metadata)

    def run(self, steps: Steps[Result]) -> Result:
        """What the conversation comes to."""
        answer: Any = None
        failed: Failed | None = None
        while True:
            try:
                step = steps.throw(failed) if failed is not None else steps.send(answer)
            except StopIteration as end:
                result: Result = end.value
                return result
            answer, failed = self._tried(step)

    def _tried(self, step: Step) -> tuple[Any, Failed | None]:
        for attempt in range(_MOST_RETRIES + 1):
            try:
                answer = self._once(step)
                self._options.is_reached = True
                return answer, None
            except grpc.RpcError as error:
                fault = fault_of(error)
            if (delay := _delay(step, fault, attempt)) is None:
                break
            time.sleep(delay)
        return None, Failed(fault)

    def _once(self, step: Step) -> Any:
        options = self._options.of(step)
        if isinstance(step, Pause):
            return time.sleep(step.seconds)
        if isinstance(step, Call):
            call = self._channel.unary_unary(step.method, _serialized, step.response.FromString)
            return call(step.request, **options)
        if isinstance(step, Feed):
            make = self._channel.stream_stream if step.many else self._channel.stream_unary
            call = make(step.method, _serialized, step.response.FromString)
            answer = call(step.requests(), **options)
            return list(answer) if step.many else answer
        call = self._channel.unary_stream(step.method, _serialized, step.response.FromString)
        last = None
        for last in call(step.request, **options):
            step.take(last)
        return last


class AsyncDriver:
    """Carries steps out, awaiting each."""

    def __init__(self, channel: Any, metadata: Any) -> None:
        """Speak over a `grpc.aio.Channel`, `metadata` with every call."""
        self._channel, self._options = channel, _Options(metadata)

    async def run(self, steps: Steps[Result]) -> Result:
        """What the conversation comes to."""
        answer: Any = None
        failed: Failed | None = None
        while True:
            try:
                step = steps.throw(failed) if failed is not None else steps.send(answer)
            except StopIteration as end:
                result: Result = end.value
                return result
            answer, failed = await self._tried(step)

    async def _tried(self, step: Step) -> tuple[Any, Failed | None]:
        for attempt in range(_MOST_RETRIES + 1):
            try:
                answer = await self._once(step)
                self._options.is_reached = True
                return answer, None
            except grpc.RpcError as error:
                fault = fault_of(error)
            if (delay := _delay(step, fault, attempt)) is None:
                break
            await asyncio.sleep(delay)
        return None, Failed(fault)

    async def _once(self, step: Step) -> Any:
        options = self._options.of(step)
        if isinstance(step, Pause):
            return await asyncio.sleep(step.seconds)
        if isinstance(step, Call):
            call = self._channel.unary_unary(step.method, _serialized, step.response.FromString)
            return await call(step.request, **options)
        if isinstance(step, Feed):
            make = self._channel.stream_stream if step.many else self._channel.stream_unary
            call = make(step.method, _serialized, step.response.FromString)
            answer = call(step.requests(), **options)
            return [each async for each in answer] if step.many else await answer
        call = self._channel.unary_stream(step.method, _serialized, step.response.FromString)
        last = None
        async for last in call(step.request, **options):
            step.take(last)
        return last


def _serialized(message: Any) -> bytes:
    content: bytes = message.SerializeToString()
    return content


def _delay(step: Step, fault: Fault, attempt: int) -> float | None:
    """How long to wait before another try; only a busy server that names a time gets one."""
    if isinstance(step, Stream) or fault.code != "RESOURCE_EXHAUSTED" or attempt == _MOST_RETRIES:
        return None
    return fault.retry_seconds
