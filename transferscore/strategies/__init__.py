"""Ways to adapt a pretrained model: what each trains, and what it is expected to reach."""

from transferscore.strategies.outlook import CurvePoint, Prediction, StrategyOutlook
from transferscore.strategies.strategy import (
    STRATEGIES,
    LoRA,
    Scratch,
    Strategy,
    Tuning,
    resolve_strategies,
    trainable_parameters,
)

__all__ = [
    "STRATEGIES",
    "CurvePoint",
    "LoRA",
    "Prediction",
    "Scratch",
    "Strategy",
    "StrategyOutlook",
    "Tuning",
    "resolve_strategies",
    "trainable_parameters",
]
