"""One process-wide store of decoded pixels, so that sixteen models decode each image once."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Hashable

import numpy as np
from numpy.typing import NDArray

__all__ = ["PIXEL_CACHE", "PixelCache"]

Pixels = NDArray[np.uint8]


class PixelCache:
    """Pixels by key, bounded in bytes; what was used least recently goes first.

    Entries put in as `spare` go before all others: a decoded original is needed only when a model
    asks for a new size, while the resized copy serves every model of that size. Were they in one
    queue, a single pass over large photographs would push out every small copy before the next
    model comes round to it.

    Args:
        max_bytes: The bound; the sum of the arrays' sizes never exceeds it.
    """

    def __init__(self, max_bytes: int) -> None:
        self._lock = threading.Lock()
        self._max_bytes = max_bytes
        self._n_bytes = 0
        self._spare: OrderedDict[Hashable, Pixels] = OrderedDict()
        self._kept: OrderedDict[Hashable, Pixels] = OrderedDict()

    def __len__(self) -> int:
        return len(self._spare) + len(self._kept)

    @property
    def n_bytes(self) -> int:
        """Sum of the sizes of the arrays held."""
        return self._n_bytes

    @property
    def max_bytes(self) -> int:
        """The bound in bytes."""
        return self._max_bytes

    def get(self, key: Hashable) -> Pixels | None:
        """The pixels under `key`, now the most recently used; None if there are none."""
        with self._lock:
            for queue in (self._kept, self._spare):
                pixels = queue.get(key)
                if pixels is not None:
                    queue.move_to_end(key)
                    return pixels
        return None

    def put(self, key: Hashable, pixels: Pixels, *, spare: bool = False) -> None:
        """Hold `pixels` under `key`; an array larger than the whole bound is not held."""
        with self._lock:
            for queue in (self._kept, self._spare):
                known = queue.pop(key, None)
                self._n_bytes -= 0 if known is None else known.nbytes
            if pixels.nbytes <= self._max_bytes:
                (self._spare if spare else self._kept)[key] = pixels
                self._n_bytes += pixels.nbytes
                self._shrink()

    def limit(self, max_bytes: int) -> None:
        """Set another bound; what no longer fits goes at once. 0 turns the cache off."""
        with self._lock:
            self._max_bytes = max_bytes
            self._shrink()

    def clear(self) -> None:
        """Let go of every entry."""
        with self._lock:
            self._spare.clear()
            self._kept.clear()
            self._n_bytes = 0

    def _shrink(self) -> None:
        """Drop entries, spare ones first, until the rest fits. The caller holds the lock."""
        while self._n_bytes > self._max_bytes:
            _, dropped = (self._spare or self._kept).popitem(last=False)
            self._n_bytes -= dropped.nbytes


PIXEL_CACHE = PixelCache(max_bytes=2**30)
