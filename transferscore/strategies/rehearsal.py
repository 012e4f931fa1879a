"""A rehearsal: full tuning of one half of the rows, in earnest but short, tested on the other half.

A tangent kernel says what training does to a network that hardly moves. Many move: there a look at
the real thing says more. Passes are better spent on more epochs of one half than on both halves:
what tuning gains shows late.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from transferscore.datasets import Dataset
from transferscore.encoders import Encoder
from transferscore.strategies.calibration import log_odds
from transferscore.strategies.loop import (
    TrainingPlan,
    first_probe,
    fit,
    held_out_rows,
    prepare_run,
    score_of,
)
from transferscore.strategies.probe import head_of
from transferscore.strategies.strategy import STRATEGIES

if TYPE_CHECKING:
    from torch import nn

__all__ = ["Rehearsal", "rehearse"]

EPOCHS = 10

# Steps of Adam that neither tear a network apart nor leave it where it was. Convolutional networks
# bear more than transformers.
_RATE_OF_CONVOLUTIONS, _RATE = 4e-4, 1e-4


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """What became of the half of the rows that was held out.

    Attributes:
        probe: Metric of the probe that tuning starts from.
        tuned: Metric after tuning.
        n_rows: Rows held out.
    """

    probe: float
    tuned: float
    n_rows: int

    @property
    def gain(self) -> float:
        """Log odds gained over the probe; never lost: a lower learning rate would keep them."""
        return max(0.0, log_odds(self.tuned, self.n_rows) - log_odds(self.probe, self.n_rows))


def rehearse(encoder: Encoder, dataset: Dataset, seed: int) -> Rehearsal:
    """Tune a model fully on one half of the rows for ten epochs, and test it on the other.

    Args:
        encoder: The model; it stays as it is.
        dataset: The n samples and their labels.
        seed: Of the halves and the order of rows.

    Raises:
        EncoderError: The model has no gradients.
    """
    plan = TrainingPlan(held_out=0.5)
    run = prepare_run(encoder, STRATEGIES["full"], dataset, plan, seed)
    held, fitted = (np.sort(half) for half in held_out_rows(run, np.arange(len(dataset))))
    probe = first_probe(run, fitted)
    before, _ = score_of(run, head_of(probe).to(run.model.device), held)
    head = fit(run, fitted, probe, _rate(run.model.module), EPOCHS, EPOCHS)
    return Rehearsal(before, score_of(run, head, held)[0], len(held))


def _rate(module: nn.Module) -> float:
    """Learning rate for a network most of whose weights are, or are not, those of convolutions."""
    sizes = [(weight.ndim > 2, weight.numel()) for weight in module.parameters()]
    in_convolutions = sum(size for convolves, size in sizes if convolves)
    convolves_most = 2 * in_convolutions > sum(size for _, size in sizes)
    return _RATE_OF_CONVOLUTIONS if convolves_most else _RATE
