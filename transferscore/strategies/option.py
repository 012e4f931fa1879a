"""Option: one way to adapt one model, what it is expected to reach, and what a step of it takes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from transferscore.strategies.outlook import CurvePoint, Prediction, StrategyOutlook
from transferscore.strategies.recipe import Circumstances
from transferscore.strategies.step import StepProfile

__all__ = ["PROBE", "Option", "option_of_dict"]

PROBE = "linear_probe"


@dataclass(frozen=True, slots=True)
class Option:
    """A strategy for a model, before it is compared with others and priced.

    Attributes:
        outlook: What it is expected to reach, or why it is not available.
        step: What a training step takes; None where the model cannot be run or looked into.
        about: What its recipe depends on.
    """

    outlook: StrategyOutlook
    step: StepProfile | None
    about: Circumstances

    @property
    def strategy(self) -> str:
        """Name of the strategy."""
        return self.outlook.strategy

    @property
    def is_available(self) -> bool:
        """Whether the model can take it; the probe it always can, predicted from all rows."""
        return self.strategy == PROBE or self.outlook.available

    def to_dict(self) -> dict[str, Any]:
        """As a description that the store and a keeper hold."""
        return asdict(self)


def option_of_dict(content: Mapping[str, Any]) -> Option:
    """The inverse of `Option.to_dict`, also after a way through JSON."""
    outlook = dict(content["outlook"])
    curve = tuple(
        CurvePoint(**(point | {"predicted": Prediction(**point["predicted"])}))
        for point in outlook.pop("learning_curve")
    )
    predicted = outlook.pop("predicted")
    about: dict[str, Any] = {
        k: tuple(v) if isinstance(v, list) else v for k, v in content["about"].items()
    }
    return Option(
        StrategyOutlook(
            predicted=None if predicted is None else Prediction(**predicted),
            learning_curve=curve,
            **outlook,
        ),
        None if content["step"] is None else StepProfile(**content["step"]),
        Circumstances(**about),
    )
