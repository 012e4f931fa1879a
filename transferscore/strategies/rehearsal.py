"""A rehearsal: full tuning of one half of the rows, in earnest but short, tested on the other half.

A tangent kernel says what training does to a network that hardly moves. Many move: there a look at
the real thing says more. Passes are better spent on more epochs of one half than on both halves:
what tuning gains shows late.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from transferscore.datasets import Dataset
from transferscore.encoders import Encoder
from transferscore.strategies.calibration import log_odds
from transferscore.strategies.loop import (
    TrainingPlan,
    TrainingRun,
    first_probe,
    fit,
    outputs_of,
    prepare_run,
)
from transferscore.strategies.measures import measure
from transferscore.strategies.probe import head_of
from transferscore.strategies.strategy import STRATEGIES

if TYPE_CHECKING:
    from torch import nn

__all__ = ["Rehearsal", "rehearse"]

EPOCHS = 10

# Steps of Adam that neither tear a network apart nor leave it where it was. Convolutional networks
# bear more than transformers.
_RATES = {"convolutional": 4e-4, "other": 1e-4}


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
    run = prepare_run(encoder, STRATEGIES["full"], dataset, TrainingPlan(), seed)
    half = _halves(dataset, seed)
    fitted, held = np.flatnonzero(half == 1), np.flatnonzero(half == 0)
    probe = first_probe(run, fitted)
    before = _metric(run, head_of(probe).to(run.model.device), held)
    head = fit(run, fitted, probe, _rate(run.model.module), EPOCHS, EPOCHS)
    return Rehearsal(before, _metric(run, head, held), len(held))


def _metric(run: TrainingRun, head: nn.Module, rows: NDArray[np.int64]) -> float:
    outputs = outputs_of(run, head, rows)
    metrics = measure(outputs, run.dataset.labels[rows], run.dataset.task.kind)
    return next(iter(metrics.values()))


def _rate(module: nn.Module) -> float:
    """Learning rate for a network most of whose weights are, or are not, those of convolutions."""
    sizes = [(weight.ndim > 2, weight.numel()) for weight in module.parameters()]
    in_convolutions = sum(size for convolves, size in sizes if convolves)
    most = 2 * in_convolutions > sum(size for _, size in sizes)
    return _RATES["convolutional" if most else "other"]


def _halves(dataset: Dataset, seed: int) -> NDArray[np.int64]:
    """0 or 1 for each sample `(n,)`, classes spread evenly."""
    rng = np.random.default_rng(seed)
    order = rng.permutation(len(dataset))
    if dataset.n_classes:
        order = order[np.argsort(dataset.labels[order], kind="stable")]
    half = np.empty(len(dataset), dtype=np.int64)
    half[order] = np.arange(len(dataset)) % 2
    return half
