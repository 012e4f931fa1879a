"""Training one strategy for real, in one small plain loop: to verify what was predicted."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from transferscore.datasets import Dataset
from transferscore.encoders import Encoder
from transferscore.strategies.loop import (
    LEARNING_RATES,
    TrainingPlan,
    TrainingRun,
    bearable_loss,
    features_of,
    first_probe,
    fit,
    held_out_rows,
    outputs_of,
    prepare_run,
    score_of,
)
from transferscore.strategies.measures import measure
from transferscore.strategies.probe import Probe, head_of
from transferscore.strategies.strategy import Strategy

if TYPE_CHECKING:
    from torch import nn

__all__ = ["LEARNING_RATES", "TrainingPlan", "TrainingResult", "train_strategy"]


@dataclass(frozen=True, slots=True)
class TrainingResult:
    """What a strategy reached.

    Attributes:
        strategy: Its name.
        value: Accuracy on the test rows; R^2 for regression.
        metrics: All that was measured: "accuracy" and "macro_f1", or "r2".
        n_train: Rows trained on.
        n_test: Rows tested on.
        n_trainable: Weights trained, the classifier aside.
        learning_rate: The chosen one, or the next lower where that tore the model apart; None for
            a probe.
        epochs: Passes made with it over all training rows; 0 for a probe.
        seconds: Wall-clock time, the search for a learning rate included.
        epoch_seconds: Mean time of one pass over all training rows; 0 for a probe.
    """

    strategy: str
    value: float
    metrics: Mapping[str, float]
    n_train: int
    n_test: int
    n_trainable: int
    learning_rate: float | None
    epochs: int
    seconds: float
    epoch_seconds: float


def train_strategy(  # noqa: PLR0913 -- model, strategy and data are three things, and two splits
    encoder: Encoder,
    strategy: Strategy,
    dataset: Dataset,
    train_rows: NDArray[np.int64],
    test_rows: NDArray[np.int64],
    *,
    plan: TrainingPlan | None = None,
    seed: int = 0,
) -> TrainingResult:
    """Train a strategy and test it on rows that it has not seen.

    The probe is fitted first; tuning starts from it (LP-FT: a random classifier would tear the
    pretrained features apart in the first steps). Dropout is off and batch norm keeps the running
    statistics of pretraining, except from scratch, where there are none. On a GPU it runs in mixed
    precision.

    Args:
        encoder: The model; it stays as it is.
        strategy: What to train.
        dataset: Samples and labels; `rows` below are positions in it.
        train_rows: `(n,)`.
        test_rows: `(m,)`.
        plan: Epochs, batch size and the like.
        seed: Of the order of rows, of adapters, of weights from scratch.

    Raises:
        EncoderError: The model has no gradients, or cannot take the strategy.

    References:
        Kumar et al. (2022), Fine-tuning can distort pretrained features, ICLR.
    """
    began = time.perf_counter()
    run = prepare_run(encoder, strategy, dataset, plan or TrainingPlan(), seed)
    probe = first_probe(run, train_rows)
    rate, epochs, seconds = None, 0, 0.0
    if run.n_trainable:
        chosen, share = _search(run, train_rows)
        epochs = max(1, round(share * run.plan.epochs))
        rate, head, seconds = _trained(run, train_rows, probe, chosen, epochs)
    else:
        head = head_of(probe).to(run.model.device)
    outputs = outputs_of(run, head, test_rows)
    metrics = measure(outputs, dataset.labels[test_rows], dataset.task.kind)
    return TrainingResult(
        strategy.name,
        next(iter(metrics.values())),
        metrics,
        len(train_rows),
        len(test_rows),
        run.n_trainable,
        rate,
        epochs,
        time.perf_counter() - began,
        seconds,
    )


def _trained(
    run: TrainingRun, rows: NDArray[np.int64], probe: Probe, chosen: float, epochs: int
) -> tuple[float, nn.Module, float]:
    """Learning rate, trained classifier and seconds of an epoch.

    A rate that did well on part of the rows for a few epochs can still tear the model apart in the
    whole run. Then the next lower one is taken.
    """
    run.restart()
    bearable = bearable_loss(run, probe.outputs(features_of(run, rows)), rows)
    for rate in sorted((rate for rate in run.rates if rate <= chosen), reverse=True):
        began = time.perf_counter()
        head = fit(run, rows, probe, rate, run.plan.epochs, epochs)
        seconds = (time.perf_counter() - began) / epochs
        if score_of(run, head, rows)[1] < bearable:
            break
    return rate, head, seconds


def _search(run: TrainingRun, rows: NDArray[np.int64]) -> tuple[float, float]:
    """The learning rate that does best on a held-out part, and after what share it peaked."""
    fitted, held = held_out_rows(run, rows)
    probe = first_probe(run, fitted)
    best = (-math.inf, -math.inf, run.rates[0], 1.0)
    for rate in run.rates:
        reached: list[tuple[float, float]] = []

        def note(head: nn.Module, reached: list[tuple[float, float]] = reached) -> bool:
            reached.append(score_of(run, head, held))
            return False

        fit(run, fitted, probe, rate, run.plan.search_epochs, run.plan.search_epochs, note)
        epoch = _stopping_epoch([value for value, _ in reached], len(held))
        value, loss = reached[epoch - 1]
        best = max(best, (value, -loss, rate, epoch / run.plan.search_epochs))
    return best[2], best[3]


def _stopping_epoch(values: Sequence[float], n_rows: int) -> int:
    """The last epoch, unless an earlier one was better by more than chance explains."""
    peak = int(np.argmax(values))
    spread = math.sqrt(max(values[peak] * (1.0 - values[peak]), 0.01) / n_rows)
    return peak + 1 if values[peak] - values[-1] > spread else len(values)
