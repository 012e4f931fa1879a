"""Ways to adapt a pretrained model: what each trains, and what it is expected to reach."""

from transferscore.strategies.outlook import outlook
from transferscore.strategies.outlook_values import CurvePoint, Prediction, StrategyOutlook
from transferscore.strategies.strategy import (
    STRATEGIES,
    LoRA,
    Scratch,
    Strategy,
    Tuning,
    resolve_strategies,
    trainable_parameters,
)
from transferscore.strategies.training import TrainingPlan, TrainingResult, train_strategy

__all__ = [
    "STRATEGIES",
    "CurvePoint",
    "LoRA",
    "Prediction",
    "Scratch",
    "Strategy",
    "StrategyOutlook",
    "TrainingPlan",
    "TrainingResult",
    "Tuning",
    "outlook",
    "resolve_strategies",
    "train_strategy",
    "trainable_parameters",
]
