"""Client and AsyncClient: the library's calls, carried out by a server."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any

import grpc

from transferscore.client.channel import Access, channel_options, credentials, metadata
from transferscore.client.conversation import Conversation
from transferscore.client.steps import AsyncDriver, Driver
from transferscore.events import Event

if TYPE_CHECKING:
    from transferscore.ranking import Ranking

__all__ = ["AsyncClient", "Client"]

_SECONDS = 60.0


class Client:
    """The library's calls, carried out by a server. A context manager; safe to share by threads.

    Examples:
        >>> client = Client("localhost:50051")
        >>> client.close()
    """

    def __init__(
        self,
        address: str,
        *,
        project: str = "default",
        access: Access | None = None,
        timeout: float = _SECONDS,
    ) -> None:
        """Say where the server is; nothing is sent before the first call.

        Args:
            address: `host:port`, or `unix:/path`.
            project: Project that datasets and rankings belong to.
            access: Token and certificates; by default none, over a plain connection.
            timeout: Seconds that a single call may take; a ranking may take any number of them.

        Raises:
            InputError: A certificate cannot be read, or a token would travel unprotected.
        """
        access = access or Access()
        secure = credentials(address, access)
        options = channel_options()
        if secure is None:
            self._channel = grpc.insecure_channel(address, options)
        else:
            self._channel = grpc.secure_channel(address, secure, options)
        self._driver = Driver(self._channel, metadata(access))
        self._about = (address, project, timeout)

    def __enter__(self) -> Client:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection."""
        self._channel.close()

    def rank(  # noqa: PLR0913 -- the library's own signature
        self,
        dataset: Any,
        models: Any,
        *,
        labels: Any = None,
        task: str | None = None,
        split: str | None = None,
        scores: str | Sequence[str] | None = None,
        max_samples: int | None = None,
        seed: int = 0,
        device: str = "auto",
        on_event: Callable[[Event], None] | None = None,
        **options: Any,
    ) -> Ranking:
        """Rank pretrained models as `transferscore.rank` does, on the server.

        The dataset is sent, once; models are URIs that the server can read. If this is interrupted,
        the ranking on the server is cancelled. Further arguments of `rank` go through as they are.

        Raises:
            InputError: The server finds something wrong with what was asked.
            EncoderError: A model cannot be named there, or the whole ranking failed.
            ServerError: The server cannot be reached, or refuses the call.
        """
        asked = _options(task, split, scores, max_samples, seed, device) | options
        talk = Conversation(*self._about)
        try:
            ranking: Ranking = self._driver.run(talk.rank(dataset, models, labels, asked, on_event))
            return ranking
        except KeyboardInterrupt:
            self._driver.run(talk.cancel())
            raise

    def score(
        self,
        features: Any,
        labels: Any,
        scores: str | Iterable[str] | None = None,
        *,
        task: str | None = None,
        source_probabilities: Any = None,
        source_logits: Any = None,
    ) -> Mapping[str, float]:
        """Scores as `transferscore.score` gives them; large features go in a stream."""
        source = _source(source_probabilities, source_logits)
        talk = Conversation(*self._about)
        return self._driver.run(talk.score(features, labels, scores, task, source))

    def distance(
        self,
        source_features: Any,
        target_features: Any,
        distances: str | Iterable[str] | None = None,
        *,
        source_labels: Any = None,
        target_labels: Any = None,
        seed: int = 0,
    ) -> Mapping[str, float]:
        """Distances as `transferscore.distance` gives them."""
        labels = (source_labels, target_labels)
        talk = Conversation(*self._about)
        return self._driver.run(
            talk.distance(source_features, target_features, distances, labels, seed)
        )

    def server_info(self) -> Any:
        """Version, limits and devices of the server, as its own message."""
        return self._driver.run(Conversation(*self._about).server_info())


class AsyncClient:
    """`Client` for asyncio. An asynchronous context manager.

    Examples:
        >>> import asyncio
        >>> async def main() -> None:
        ...     async with AsyncClient("localhost:50051"):
        ...         pass
        >>> asyncio.run(main())
    """

    def __init__(
        self,
        address: str,
        *,
        project: str = "default",
        access: Access | None = None,
        timeout: float = _SECONDS,
    ) -> None:
        """Say where the server is, as `Client` does."""
        access = access or Access()
        secure = credentials(address, access)
        options = channel_options()
        if secure is None:
            self._channel = grpc.aio.insecure_channel(address, options)
        else:
            self._channel = grpc.aio.secure_channel(address, secure, options)
        self._driver = AsyncDriver(self._channel, metadata(access))
        self._about = (address, project, timeout)

    async def __aenter__(self) -> AsyncClient:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the connection."""
        await self._channel.close()

    async def rank(  # noqa: PLR0913 -- the library's own signature
        self,
        dataset: Any,
        models: Any,
        *,
        labels: Any = None,
        task: str | None = None,
        split: str | None = None,
        scores: str | Sequence[str] | None = None,
        max_samples: int | None = None,
        seed: int = 0,
        device: str = "auto",
        on_event: Callable[[Event], None] | None = None,
        **options: Any,
    ) -> Ranking:
        """As `Client.rank`; cancelling the task cancels the ranking on the server."""
        import asyncio

        asked = _options(task, split, scores, max_samples, seed, device) | options
        talk = Conversation(*self._about)
        try:
            return await self._driver.run(talk.rank(dataset, models, labels, asked, on_event))
        except asyncio.CancelledError:
            await self._driver.run(talk.cancel())
            raise

    async def score(
        self,
        features: Any,
        labels: Any,
        scores: str | Iterable[str] | None = None,
        *,
        task: str | None = None,
        source_probabilities: Any = None,
        source_logits: Any = None,
    ) -> Mapping[str, float]:
        """As `Client.score`."""
        source = _source(source_probabilities, source_logits)
        talk = Conversation(*self._about)
        return await self._driver.run(talk.score(features, labels, scores, task, source))

    async def distance(
        self,
        source_features: Any,
        target_features: Any,
        distances: str | Iterable[str] | None = None,
        *,
        source_labels: Any = None,
        target_labels: Any = None,
        seed: int = 0,
    ) -> Mapping[str, float]:
        """As `Client.distance`."""
        labels = (source_labels, target_labels)
        talk = Conversation(*self._about)
        return await self._driver.run(
            talk.distance(source_features, target_features, distances, labels, seed)
        )

    async def server_info(self) -> Any:
        """As `Client.server_info`."""
        return await self._driver.run(Conversation(*self._about).server_info())


def _options(
    task: str | None,
    split: str | None,
    scores: str | Sequence[str] | None,
    max_samples: int | None,
    seed: int,
    device: str,
) -> dict[str, Any]:
    return {
        "task": task,
        "split": split,
        "scores": scores,
        "max_samples": max_samples,
        "seed": seed,
        "device": device,
    }


def _source(probabilities: Any, logits: Any) -> dict[str, Any]:
    given = {"source_probabilities": probabilities, "source_logits": logits}
    return {name: value for name, value in given.items() if value is not None}
