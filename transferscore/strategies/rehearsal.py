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
    bearable_loss,
    first_probe,
    fit,
    held_out_rows,
    prepare_run,
    score_of,
)
from transferscore.strategies.probe import Probe, head_of
from transferscore.strategies.strategy import STRATEGIES

if TYPE_CHECKING:
    from torch import nn

__all__ = ["Rehearsal", "rehearse"]

EPOCHS = 10

# Learning rates of Adam that neither tear a network apart nor leave it where it was. Some
# convolutional networks bear, and need, much more than others: the bold rate is tried first, and
# the cautious one has a few epochs less if that was in vain.
_RATE = 1e-4
_BOLD_RATE, _CAUTIOUS_RATE = 1.2e-3, 3e-4
_TRIED_EPOCHS, _EPOCHS_LEFT = 3, 8


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
    """Tune a model fully on one half of the rows for some ten epochs, and test it on the other.

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
    tune = _tuned_in_two_attempts if _convolves(run.model.module) else _tuned
    return Rehearsal(before, score_of(run, tune(run, fitted, probe), held)[0], len(held))


def _convolves(module: nn.Module) -> bool:
    """Whether most weights are those of convolutions."""
    sizes = [(weight.ndim > 2, weight.numel()) for weight in module.parameters()]
    return 2 * sum(size for is_conv, size in sizes if is_conv) > sum(size for _, size in sizes)


def _tuned(run: TrainingRun, rows: NDArray[np.int64], probe: Probe) -> nn.Module:
    return fit(run, rows, probe, _RATE, EPOCHS, EPOCHS)


def _tuned_in_two_attempts(run: TrainingRun, rows: NDArray[np.int64], probe: Probe) -> nn.Module:
    """The classifier of a model tuned boldly, or cautiously if that tore it apart."""
    bearable = bearable_loss(run, probe, rows)
    is_torn: list[bool] = []

    def ends(head: nn.Module) -> bool:
        is_tried = len(is_torn) + 1 == _TRIED_EPOCHS
        is_torn.append(is_tried and score_of(run, head, rows)[1] > bearable)
        return is_torn[-1]

    head = fit(run, rows, probe, _BOLD_RATE, EPOCHS, EPOCHS, ends)
    if is_torn[-1]:
        head = fit(run, rows, probe, _CAUTIOUS_RATE, _EPOCHS_LEFT, _EPOCHS_LEFT)
    return head
