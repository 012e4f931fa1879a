"""Keeper: what outlives one call of `rank`, where a service or a long run wants that."""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import asdict
from typing import Any, Protocol, TypeAlias

from transferscore.datasets import Dataset
from transferscore.encoders import Encoder, FeaturesFile, resolve_models
from transferscore.features import Entry
from transferscore.ranking.evaluated import Evaluated
from transferscore.ranking.evaluation import evaluation_of_entry
from transferscore.ranking.priors import Prior
from transferscore.ranking.ranking import Failure
from transferscore.strategies.option import option_of_dict

__all__ = ["KeepNothing", "Keeper", "Outcome", "outcome_of_bytes", "outcome_to_bytes"]

Outcome: TypeAlias = Evaluated | Failure


class Keeper(Protocol):
    """Finished candidates and loaded models, kept beyond the call that made them.

    With a keeper that remembers, a ranking that was killed goes on where it stopped, and a model
    that was loaded for one ranking is there for the next; the answer is the same to the last bit.
    """

    def encoders(self, models: Any, device: str) -> list[Encoder | FeaturesFile]:
        """The encoders of `models`, as `resolve_models` has them."""
        ...

    def finished(self, position: int) -> Outcome | None:
        """What came of the candidate at `position`, from 0, if it was finished before."""
        ...

    def keep(self, position: int, outcome: Outcome, dataset: Dataset) -> None:
        """Remember what came of a candidate; `dataset` is what it was tried on."""
        ...

    def release(self, encoder: Encoder | FeaturesFile) -> None:
        """The ranking needs this encoder's model no more: give its memory back, now or later."""
        ...


class KeepNothing:
    """The keeper of an ordinary call; a base for those that remember."""

    trust_remote_code: Collection[str] = ()

    def __init__(self, trust_remote_code: Collection[str] = ()) -> None:
        """Let the models named run the code they come with."""
        self.trust_remote_code = trust_remote_code

    def encoders(self, models: Any, device: str) -> list[Encoder | FeaturesFile]:
        """The encoders of `models`."""
        return resolve_models(models, device=device, trust_remote_code=self.trust_remote_code)

    def finished(self, position: int) -> Outcome | None:  # noqa: ARG002 -- as the protocol has it
        """None: each candidate is yet to be tried."""
        return None

    def keep(self, position: int, outcome: Outcome, dataset: Dataset) -> None:
        """Forget it."""

    def release(self, encoder: Encoder | FeaturesFile) -> None:
        """Give the model's memory back now."""
        encoder.release()


def outcome_to_bytes(outcome: Outcome) -> bytes:
    """An outcome as bytes, every number exact."""
    from safetensors.numpy import save

    if isinstance(outcome, Failure):
        return save({}, metadata={"failure": json.dumps(asdict(outcome))})
    entry = outcome.evaluation.to_entry()
    costs = {
        "model": outcome.model,
        "seconds": outcome.seconds,
        "forward_seconds": outcome.forward_seconds,
        "details": dict(outcome.details),
        "options": [option.to_dict() for option in outcome.options],
        "priors": [asdict(prior) for prior in outcome.priors],
    }
    metadata = {"costs": json.dumps(costs), "about": json.dumps(entry.about)}
    return save(dict(entry.arrays), metadata=metadata)


def outcome_of_bytes(content: bytes) -> Outcome:
    """The inverse of `outcome_to_bytes`."""
    from safetensors.numpy import load

    header = json.loads(content[8 : 8 + int.from_bytes(content[:8], "little")])["__metadata__"]
    if "failure" in header:
        return Failure(**json.loads(header["failure"]))
    entry = Entry(load(content), json.loads(header["about"]))
    costs = json.loads(header["costs"])
    options = tuple(option_of_dict(option) for option in costs.pop("options"))
    priors = tuple(Prior(**prior) for prior in costs.pop("priors"))
    evaluation = evaluation_of_entry(entry)
    return Evaluated(evaluation=evaluation, options=options, priors=priors, **costs)
