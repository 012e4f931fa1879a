"""A rehearsal: full tuning of one half of the rows, in earnest but short, tested on the other half.

A tangent kernel says what training does to a network that hardly moves. Many move: there a look at
the real thing says more. Passes are better spent on more epochs of one half than on both halves:
what tuning gains shows late. Half of the rows tell less than all of them, above all of easy data;
so the tuned features are looked at once more with a head of all rows, each held-out row left out.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from transferscore.datasets import Dataset
from transferscore.encoders import Encoder
from transferscore.strategies.calibration import log_odds
from transferscore.strategies.kernel import best_mixture, feature_kernel, targets_of
from transferscore.strategies.loop import (
    TrainingPlan,
    TrainingRun,
    bearable_loss,
    features_of,
    fit,
    held_out_rows,
    outputs_on,
    prepare_run,
    score_of,
    score_on,
)
from transferscore.strategies.probe import Probe, fit_probe
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
    """What became of the half of the rows that was held out, in the task's metric.

    Attributes:
        probe: Of the probe of the other half, which tuning starts from.
        tuned: Of model and head after tuning.
        frozen: Of a ridge of all other rows on the frozen features, leave-one-out.
        refitted: The same on the tuned features.
        n_rows: Rows held out.
    """

    probe: float
    tuned: float
    frozen: float
    refitted: float
    n_rows: int

    @property
    def gain(self) -> float:
        """Log odds gained, on average of the head that was tuned and the one of all rows.

        Neither counts as lost: a lower learning rate would keep them.
        """
        pairs = ((self.probe, self.tuned), (self.frozen, self.refitted))
        gains = (log_odds(b, self.n_rows) - log_odds(a, self.n_rows) for a, b in pairs)
        return sum(max(0.0, gain) for gain in gains) / len(pairs)


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
    everything = np.arange(len(dataset))
    held, fitted = (np.sort(half) for half in held_out_rows(run, everything))
    frozen = features_of(run, everything)
    probe = fit_probe(frozen[fitted], dataset.labels[fitted], dataset.n_classes)
    if _convolves(run.model.module):
        bearable = bearable_loss(run, probe.outputs(frozen[fitted]), fitted)
        head = _tuned_in_two_attempts(run, fitted, probe, bearable)
    else:
        head = fit(run, fitted, probe, _RATE, EPOCHS, EPOCHS)
    tuned = features_of(run, everything)
    before, _ = score_on(run, probe.outputs(frozen[held]), held)
    after, _ = score_on(run, outputs_on(run, head, tuned[held]), held)
    targets = targets_of(dataset)
    left_out, left_out_after = (
        best_mixture(feature_kernel(features), None, targets, held).value
        for features in (frozen, tuned)
    )
    return Rehearsal(before, after, left_out, left_out_after, len(held))


def _convolves(module: nn.Module) -> bool:
    """Whether most weights are those of convolutions."""
    sizes = [(weight.ndim > 2, weight.numel()) for weight in module.parameters()]
    return 2 * sum(size for is_conv, size in sizes if is_conv) > sum(size for _, size in sizes)


def _tuned_in_two_attempts(
    run: TrainingRun, rows: NDArray[np.int64], probe: Probe, bearable: float
) -> nn.Module:
    """The classifier of a model tuned boldly, or cautiously if its loss is then not bearable."""
    is_torn: list[bool] = []

    def ends(head: nn.Module) -> bool:
        is_tried = len(is_torn) + 1 == _TRIED_EPOCHS
        is_torn.append(is_tried and score_of(run, head, rows)[1] > bearable)
        return is_torn[-1]

    head = fit(run, rows, probe, _BOLD_RATE, EPOCHS, EPOCHS, ends)
    if is_torn[-1]:
        head = fit(run, rows, probe, _CAUTIOUS_RATE, _EPOCHS_LEFT, _EPOCHS_LEFT)
    return head
