"""Evaluated: a model's evaluation with what it cost and the ways in which it may be adapted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from transferscore.ranking.evaluation import Evaluation
from transferscore.ranking.priors import Prior
from transferscore.strategies.option import Option

__all__ = ["Evaluated"]


@dataclass(frozen=True, slots=True)
class Evaluated:
    """A model's evaluation, what it cost, and what else is known of the model.

    Attributes:
        model: Its URI or name.
        evaluation: Scores, and the held-out losses of a linear probe.
        seconds: Time it took in all.
        forward_seconds: Time spent in the model itself.
        details: What else is known of the model.
        options: The strategies that were asked for; empty where only the probe is of interest.
        priors: What training the model reached before.
    """

    model: str
    evaluation: Evaluation
    seconds: float
    forward_seconds: float
    details: Mapping[str, str] = field(default_factory=dict)
    options: tuple[Option, ...] = ()
    priors: tuple[Prior, ...] = ()
