"""WorkerKeeper: a ranking's finished candidates come from the front and go to it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from transferscore.datasets import Dataset
from transferscore.encoders import Encoder, FeaturesFile, resolve_encoder, resolve_models
from transferscore.ranking import (
    Failure,
    Outcome,
    assemble_ranking,
    outcome_of_bytes,
    outcome_to_bytes,
)
from transferscore_server.workers.messages import Message
from transferscore_server.workers.shelf import Shelf

__all__ = ["WorkerKeeper"]

# What only the whole ranking can say of a candidate.
_RELATIVE = ("rank", "p_best", "tied_with_first")


class WorkerKeeper:
    """The `transferscore.ranking.Keeper` of one ranking in a worker."""

    def __init__(
        self, finished: Mapping[int, Message], shelf: Shelf, send: Callable[[Message], None]
    ) -> None:
        """Go on from `finished` candidates, with models of `shelf`, telling the front by `send`."""
        self._finished = finished
        self._shelf = shelf
        self._send = send
        self._encoders: list[Encoder | FeaturesFile] = []
        self._digests: dict[int, str | None] = {}

    def encoders(self, models: Any, device: str) -> list[Encoder | FeaturesFile]:
        """The encoders of `models`, by uri and name; loaded ones come from the shelf.

        One a model, in order, so that positions are those of the front.
        """
        named = [resolve_encoder(m["uri"], device=device, name=m["name"]) for m in models]
        self._encoders = [self._shelf.take(fresh) for fresh in resolve_models(named)]
        return self._encoders

    def finished(self, position: int) -> Outcome | None:
        """What came of a candidate before; else its turn begins, and the front is told."""
        if (known := self._finished.get(position)) is not None:
            return _outcome(known)
        encoder = self._encoders[position]
        self._send(Message("started", {"position": position, "model": encoder.name}))
        try:
            self._digests[id(encoder)] = encoder.digest()
        except Exception:
            # The candidate is about to fail on this itself, in its own words.
            self._digests[id(encoder)] = None
        return None

    def keep(self, position: int, outcome: Outcome, dataset: Dataset) -> None:
        """Tell the front what came of a candidate."""
        told: dict[str, Any] = {"position": position, "model": outcome.model}
        if isinstance(outcome, Failure):
            told["error"] = {"reason": outcome.error, "message": outcome.message}
        else:
            document = assemble_ranking(dataset, [outcome], [], 0).to_dict()
            rows = document["candidates"]
            told["results"] = [{k: v for k, v in row.items() if k not in _RELATIVE} for row in rows]
        self._send(Message("candidate", told, outcome_to_bytes(outcome)))

    def release(self, encoder: Encoder | FeaturesFile) -> None:
        """Put the model on the shelf."""
        self._shelf.put(encoder, self._digests.get(id(encoder)))


def _outcome(message: Message) -> Outcome:
    """What came of a candidate: the library's own value, or the front's word that it failed."""
    if message.content:
        return outcome_of_bytes(message.content)
    fields = message.fields
    return Failure(fields["model"], fields["reason"], fields["message"])
