"""Shelf: loaded models that may be wanted again, the least recently used given up first."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable

from transferscore.encoders import Encoder, FeaturesFile
from transferscore_server.workers.memory import give_back, held_bytes

__all__ = ["Shelf"]


class Shelf:
    """Models by what tells their numbers apart, as long as the process holds few enough bytes."""

    def __init__(self, max_bytes: int, held: Callable[[], int] = held_bytes) -> None:
        """Keep models while the process holds at most `max_bytes`, as `held` measures it."""
        self._max_bytes = max_bytes
        self._held = held
        self._models: OrderedDict[tuple[str, str], Encoder | FeaturesFile] = OrderedDict()

    def __len__(self) -> int:
        return len(self._models)

    def take(self, fresh: Encoder | FeaturesFile) -> Encoder | FeaturesFile:
        """The loaded model that is the same as `fresh`, or `fresh`."""
        if not any(name == fresh.name for name, _ in self._models):
            return fresh
        digest = _digest(fresh)
        return self._models.pop((fresh.name, digest), fresh) if digest is not None else fresh

    def put(self, model: Encoder | FeaturesFile, digest: str | None) -> None:
        """Keep a model for later, and give up others, or this one, where memory is short.

        Args:
            model: The model, which nobody uses now.
            digest: What it was when it was loaded; None where that cannot be told. A model whose
                files have changed since is not kept: it would pass for what it is not.
        """
        if digest is None or _digest(model) != digest:
            model.release()
            return
        self._models[model.name, digest] = model
        while self._models and self._held() > self._max_bytes:
            _, oldest = self._models.popitem(last=False)
            oldest.release()
            del oldest
            give_back()

    def clear(self) -> None:
        """Give up all models."""
        while self._models:
            self._models.popitem()[1].release()
        give_back()


def _digest(model: Encoder | FeaturesFile) -> str | None:
    try:
        return model.digest()
    except Exception:
        # The ranking will fail on it too, with its own words.
        return None
