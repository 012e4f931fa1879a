"""The client of the service: `Client` and `AsyncClient`, with `rank()`'s own signature."""

from transferscore.client.channel import Access
from transferscore.client.client import AsyncClient, Client

__all__ = ["Access", "AsyncClient", "Client"]
