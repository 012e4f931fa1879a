"""A rehearsal: a few real epochs on each half of the rows, tested on the other half.

A tangent kernel says what training does to a network that hardly moves. Transformers move: there a
short look at the real thing says more. Each half is held out in turn, so that all rows are tested
and none by a model that has seen it.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from transferscore.datasets import Dataset
from transferscore.encoders import Encoder
from transferscore.strategies.loop import (
    TrainingPlan,
    TrainingRun,
    fit,
    outputs_of,
    prepare_run,
)
from transferscore.strategies.measures import measure
from transferscore.strategies.strategy import Strategy

__all__ = ["halves", "rehearse"]

EPOCHS = 3
_RATE = 4e-4


def rehearse(encoder: Encoder, strategy: Strategy, dataset: Dataset, seed: int) -> float:
    """Metric after three epochs on one half, tested on the other, over both.

    Args:
        encoder: The model; it stays as it is.
        strategy: What to train.
        dataset: The n samples and their labels.
        seed: Of the halves and the order of rows.

    Raises:
        EncoderError: The model has no gradients, or cannot take the strategy.
    """
    run = prepare_run(encoder, strategy, dataset, TrainingPlan(), seed)
    half = halves(dataset, seed)
    parts = [np.flatnonzero(half == k) for k in (0, 1)]
    outputs = [_tuned(run, parts[1 - k], parts[k]) for k in (0, 1)]
    labels = dataset.labels[np.concatenate(parts)]
    metrics = measure(np.concatenate(outputs), labels, dataset.task.kind)
    return next(iter(metrics.values()))


def halves(dataset: Dataset, seed: int) -> NDArray[np.int64]:
    """0 or 1 for each sample `(n,)`, classes spread evenly."""
    rng = np.random.default_rng(seed)
    order = rng.permutation(len(dataset))
    if dataset.n_classes:
        order = order[np.argsort(dataset.labels[order], kind="stable")]
    half = np.empty(len(dataset), dtype=np.int64)
    half[order] = np.arange(len(dataset)) % 2
    return half


def _tuned(
    run: TrainingRun, fitted: NDArray[np.int64], held: NDArray[np.int64]
) -> NDArray[np.float32]:
    """Outputs on the held half of a model tuned on the other."""
    head = fit(run, fitted, _RATE, EPOCHS, EPOCHS)
    return outputs_of(run, head, held)
