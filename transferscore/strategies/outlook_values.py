"""The values of an outlook: what each strategy is expected to reach."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["CurvePoint", "Prediction", "StrategyOutlook"]


@dataclass(frozen=True, slots=True)
class Prediction:
    """An expected metric with its 90 % interval.

    Attributes:
        value: Expected accuracy on unseen rows.
        low: Lower end.
        high: Upper end.
    """

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class CurvePoint:
    """What a strategy is expected to reach with fewer labels.

    Attributes:
        n_samples: Number of labelled rows.
        predicted: Expected metric with so many.
    """

    n_samples: int
    predicted: Prediction


@dataclass(frozen=True, slots=True)
class StrategyOutlook:
    """What is expected of one strategy for one model.

    Attributes:
        strategy: Name of the strategy.
        predicted: Expected metric; None where the strategy is not available.
        reason: Why it is not available; None where it is.
        learning_curve: The expected metric at fewer labels, ascending; may be empty.
        basis: What the prediction rests on, in words.
        n_trainable: How many weights it trains, the classifier aside; None where unknown.
    """

    strategy: str
    predicted: Prediction | None
    reason: str | None = None
    learning_curve: tuple[CurvePoint, ...] = ()
    basis: str = ""
    n_trainable: int | None = None

    @property
    def available(self) -> bool:
        """Whether the model can take the strategy."""
        return self.predicted is not None
