"""All options of one model: each strategy with its outlook, the cost of a step, and its setting."""

from __future__ import annotations

import hashlib
import os
import platform
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from transferscore.datasets import Dataset, drop_rows
from transferscore.encoders import (
    Encoder,
    FeaturesFile,
    TrainableModel,
    trainable_model,
)
from transferscore.errors import EncoderError
from transferscore.features import Features
from transferscore.strategies.calibration_table import CALIBRATIONS, UNTRIED
from transferscore.strategies.circumstances import circumstances_of
from transferscore.strategies.option import PROBE, Option
from transferscore.strategies.outlook import StrategyOutlook, outlook
from transferscore.strategies.probe import fit_probe
from transferscore.strategies.published import PUBLISHED
from transferscore.strategies.step import StepProfile, Workload, profile_forward, profile_step
from transferscore.strategies.strategy import STRATEGIES, LoRA, Strategy
from transferscore.strategies.training import TrainingPlan
from transferscore.wording import one_line

if TYPE_CHECKING:
    from torch import nn

__all__ = ["options_key", "options_of"]

_FORESEEN = ("classification", "regression")


def options_of(
    encoder: Encoder | FeaturesFile,
    dataset: Dataset,
    features: Features,
    strategies: Sequence[Strategy],
    *,
    seed: int = 0,
) -> tuple[Option, ...]:
    """What each strategy is expected to reach with a model, and what a step of it takes.

    Args:
        encoder: The model.
        dataset: The labelled samples.
        features: Its features of them.
        strategies: Ways to adapt it.
        seed: Of every random choice.

    Raises:
        EncoderError: The model cannot be run.
    """
    outlooks = _outlooks(encoder, dataset, features, strategies, seed)
    bench = _Bench(encoder, dataset, features, seed, _module(encoder, dataset))
    options = (
        Option(outlooks[each.name], None, circumstances_of(dataset, each, bench.module))
        for each in strategies
    )
    return tuple(
        bench.measured(option, strategy) if option.is_available else option
        for option, strategy in zip(options, strategies, strict=True)
    )


def options_key(evaluation_key: str, strategies: Sequence[Strategy], seed: int) -> str | None:
    """Hex digest of what options depend on; None where a strategy is not one of ours.

    Seconds belong to the machine and its threads, so these are part of it.

    Args:
        evaluation_key: Digest of model, samples, labels and task.
        strategies: Ways to adapt it.
        seed: Of every random choice.
    """
    ours = (STRATEGIES.get(each.name) == each or isinstance(each, LoRA) for each in strategies)
    if not all(ours):
        return None
    names = ",".join(each.name for each in strategies)
    machine = f"{platform.node()} {os.cpu_count()} {os.environ.get('OMP_NUM_THREADS')}"
    # What was foreseen by another calibration is foreseen again.
    calibration = f"{CALIBRATIONS} {UNTRIED} {PUBLISHED}"
    parts = ["options-7", calibration, evaluation_key, names, str(seed), machine]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class _Bench:
    """One model on one dataset, to measure steps on; `module` is None where it has no gradients."""

    encoder: Encoder | FeaturesFile
    dataset: Dataset
    features: Features
    seed: int
    module: nn.Module | None

    def measured(self, option: Option, strategy: Strategy) -> Option:
        """The option with its step; one that cannot make a step is not available, and why."""
        try:
            return replace(option, step=self.step(strategy))
        except Exception as error:
            reason = f"a training step failed: {one_line(error).rstrip('.')}"
            return replace(option, outlook=StrategyOutlook(option.strategy, None, reason))

    def step(self, strategy: Strategy) -> StepProfile | None:
        """What a step takes; None of a file of features, behind which there is no model."""
        if isinstance(self.encoder, FeaturesFile):
            return None
        if self.module is not None:
            step = profile_step(self.load, strategy, self.work())
        elif strategy.name == PROBE:
            step = profile_forward(self.encoder, self.work(), self.features.values.shape[1])
        else:
            return None
        return replace(step, head_seconds=self.head_seconds())

    def load(self) -> TrainableModel:
        """A fresh copy of the model."""
        return trainable_model(self.encoder, self.dataset.samples[:2])

    def work(self) -> Workload:
        """The readable samples and their sizes."""
        readable = [
            sample
            for position, sample in enumerate(self.dataset.samples)
            if position not in self.features.unreadable
        ]
        costs = [] if isinstance(self.encoder, FeaturesFile) else map(self.encoder.cost, readable)
        n_outputs = self.dataset.n_classes or int(np.atleast_2d(self.dataset.labels.T).shape[0])
        return Workload(readable, list(costs), n_outputs, TrainingPlan().batch_size, self.seed)

    def head_seconds(self) -> float:
        """The time of fitting a head on the features of all samples."""
        labels, values = self.dataset.labels[self.features.kept], self.features.values
        is_class = self.dataset.task.scored_as == "classification"
        if is_class:
            # A word without a tag counts for nothing.
            labels, values = labels[labels >= 0], values[labels >= 0]
        began = time.perf_counter()
        fit_probe(values, labels, self.dataset.n_classes if is_class else 0)
        return time.perf_counter() - began


def _outlooks(
    encoder: Encoder | FeaturesFile,
    dataset: Dataset,
    features: Features,
    strategies: Sequence[Strategy],
    seed: int,
) -> Mapping[str, StrategyOutlook]:
    """Of the probe there is nothing to foresee: the ranking predicts it from all rows."""
    names = [strategy.name for strategy in strategies]
    if names == [PROBE]:
        return {PROBE: StrategyOutlook(PROBE, None, basis="held-out probe")}
    if dataset.task.kind not in _FORESEEN:
        reason = f"what fine-tuning reaches is not predicted for {dataset.task.kind}"
        return _all_unavailable(names, reason)
    readable, values, logits = dataset, features.values, features.logits
    if not features.kept.all():
        readable = drop_rows(dataset, features.kept, "could not be read")
        left = np.isin(dataset.rows[features.kept], readable.rows)
        values, logits = values[left], None if logits is None else logits[left]
    try:
        return outlook(encoder, readable, values, strategies, source_logits=logits, seed=seed)
    except Exception as error:
        # The model is ranked by its probe all the same.
        return _all_unavailable(names, f"a trial run failed: {one_line(error).rstrip('.')}")


def _all_unavailable(names: Sequence[str], reason: str) -> Mapping[str, StrategyOutlook]:
    return {name: StrategyOutlook(name, None, reason) for name in names}


def _module(encoder: Encoder | FeaturesFile, dataset: Dataset) -> nn.Module | None:
    try:
        return trainable_model(encoder, dataset.samples[:2]).module
    except EncoderError:
        return None
