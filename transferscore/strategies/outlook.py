"""Outlook: the accuracy that each strategy is expected to reach, before anything is trained."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from transferscore.datasets import Dataset, sample_dataset
from transferscore.encoders import Encoder, FeaturesFile, why_untrainable
from transferscore.errors import InputError
from transferscore.scores.nce import nce_from_statistics
from transferscore.statistics import Statistics
from transferscore.strategies.calibration import (
    Observed,
    calibrated,
    log_odds,
    shifted,
    uncalibrated,
    weighs_rehearsal,
)
from transferscore.strategies.evidence import Evidence, gather_evidence
from transferscore.strategies.kernel import (
    KernelFit,
    best_mixture,
    feature_kernel,
    subset_losses,
    targets_of,
)
from transferscore.strategies.outlook_values import CurvePoint, Prediction, StrategyOutlook
from transferscore.strategies.published import PUBLISHED_BASIS, Frozen, published_outlook
from transferscore.strategies.strategy import Strategy

__all__ = ["CurvePoint", "Prediction", "StrategyOutlook", "outlook"]

# Whether rehearsed.
_BASIS = {
    False: "held-out kernel",
    True: "held-out kernel and rehearsal of full tuning",
}
_CURVE = (8, 4, 2)
_LEAST_ROWS = 16


def outlook(  # noqa: PLR0913 -- what is known of a model, and how far to look
    encoder: Encoder | FeaturesFile,
    dataset: Dataset,
    features: NDArray[Any],
    strategies: Sequence[Strategy],
    *,
    source_logits: NDArray[Any] | None = None,
    max_samples: int = 512,
    seed: int = 0,
) -> Mapping[str, StrategyOutlook]:
    """What each strategy is expected to reach on a dataset with a model.

    The probe is held out exactly (leave-one-out, all rows). What tuning adds is told by the tangent
    kernel of what a strategy trains, and, of classifiers of images and texts, by a rehearsal: one
    half of a subsample is tuned on for some ten epochs, the other is told by the tuned head, and by
    a ridge of all rows on the tuned features, leave-one-out.

    Args:
        encoder: The model.
        dataset: Its n samples and labels.
        features: `(n, d)` the model's frozen features of all samples.
        strategies: What to look at; see `resolve_strategies`.
        source_logits: `(n, C)` of the model's own classifier, if it has one.
        max_samples: Gradients and rehearsals use at most so many samples.
        seed: Seed of every random choice.

    Returns:
        Strategy name to outlook, in the order given. A strategy that the model cannot take is there
        with its reason. Of a model without gradients, full tuning of image classifiers, and LoRA
        and full tuning of text classifiers, are told from published runs of other models by the
        probe and NCE / ln K, far less exactly.

    Raises:
        InputError: Features and samples do not match.

    References:
        Deshpande et al. (2021), A linearized framework for model selection for fine-tuning.
        Malladi et al. (2023), A kernel-based view of language model fine-tuning, ICML.
        Mohamadi et al. (2023), A fast, well-founded approximation to the empirical NTK, ICML.
        Choe et al. (2024), What is your data worth to GPT? (layer-wise gradient projection).
    """
    if len(features) != len(dataset):
        raise InputError(
            f"`features` must have one row for each sample ({len(dataset)}); got {len(features)}."
        )
    logits = source_logits if dataset.n_classes else None
    statistics = Statistics(features, dataset.labels, task=dataset.task.kind, source_logits=logits)
    sample = sample_dataset(dataset, max_samples, seed)
    kernel = feature_kernel(features[np.searchsorted(dataset.rows, sample.rows)])
    probe = best_mixture(kernel, None, targets_of(sample))
    nce = (
        nce_from_statistics(statistics) / math.log(dataset.n_classes)
        if logits is not None
        else None
    )
    look = _Look(dataset, sample, statistics.held_out.value, nce, probe, seed)
    found = look.evidence(encoder, strategies)
    names = (strategy.name for strategy in strategies)
    return {name: look.outlook(name, found[name]) for name in names}


@dataclass(frozen=True, slots=True)
class _Look:
    """What is the same for all strategies of one model."""

    dataset: Dataset
    sample: Dataset
    probe: float
    source_nce: float | None
    sample_probe: KernelFit
    seed: int

    def evidence(
        self, encoder: Encoder | FeaturesFile, strategies: Sequence[Strategy]
    ) -> dict[str, Evidence | str]:
        """Evidence, or a reason, for each strategy; a probe needs no gradients."""
        found: dict[str, Evidence | str] = {"linear_probe": Evidence(self.sample_probe, None, 0)}
        tuned = [strategy for strategy in strategies if strategy.name != "linear_probe"]
        if not tuned:
            return found
        reason = why_untrainable(encoder)
        if isinstance(encoder, FeaturesFile) or reason is not None:
            return found | dict.fromkeys((strategy.name for strategy in tuned), reason or "")
        rehearsed = self.dataset.n_classes > 0 and weighs_rehearsal(self.dataset.modality)
        return found | gather_evidence(encoder, self.sample, tuned, self.seed, rehearsed=rehearsed)

    def outlook(self, name: str, evidence: Evidence | str) -> StrategyOutlook:
        """The outlook on one strategy from its evidence."""
        if isinstance(evidence, str):
            return self._without_evidence(name, evidence)
        predicted = self._predicted(name, evidence, self.probe, len(self.dataset))
        return StrategyOutlook(
            name,
            predicted,
            None,
            self._curve(name, evidence, predicted),
            _BASIS[evidence.rehearsal is not None],
            evidence.n_trainable,
        )

    def _without_evidence(self, name: str, reason: str) -> StrategyOutlook:
        """Not available; but published runs may tell something of it."""
        known = None
        if self.dataset.n_classes:
            frozen = Frozen(self.probe, len(self.dataset), self.source_nce)
            known = published_outlook(name, self.dataset.modality, frozen)
        if known is None:
            return StrategyOutlook(name, None, reason=reason)
        return StrategyOutlook(name, known, basis=PUBLISHED_BASIS)

    def _predicted(self, name: str, evidence: Evidence, probe: float, n_rows: int) -> Prediction:
        """What a strategy reaches with so many rows, of which the probe of its model is known."""
        n, base = len(self.sample), self.sample_probe.value
        if not self.dataset.n_classes:
            gain = 0.0 if name == "scratch" else evidence.kernel.value - base
            return uncalibrated(probe + gain, evidence.kernel.losses)
        kernel_gain = log_odds(evidence.kernel.value, n) - log_odds(base, n)
        rehearsal_gain = evidence.rehearsal.gain if evidence.rehearsal else 0.0
        observed = Observed(
            probe,
            n_rows,
            kernel_gain,
            rehearsal_gain,
            frozen_share=1.0 - evidence.kernel.share,
            n_seen=n,
        )
        return calibrated(name, observed, self.dataset.modality)

    def _curve(self, name: str, evidence: Evidence, whole: Prediction) -> tuple[CurvePoint, ...]:
        """Expected metric at an eighth, a quarter and half of the sample, and at all rows.

        The kernel's own curve says by how much fewer rows than the sample's are worse. From scratch
        a network makes its own features, of which the kernel knows nothing.
        """
        n, fit = len(self.sample), evidence.kernel
        if name == "scratch" or not self.dataset.n_classes:
            return ()
        points, here = [], whole
        if n < len(self.dataset):
            here = self._predicted(name, evidence, self.sample_probe.value, n)
        for size in (n // part for part in _CURVE if n // part >= self._least_rows()):
            values = 1.0 - subset_losses(fit, targets_of(self.sample), size, self.seed)
            odds = log_odds(float(values.mean()), n) - log_odds(fit.value, n)
            spread = float(values.std(ddof=1) / np.sqrt(len(values)))
            points.append(CurvePoint(size, shifted(here, odds, spread)))
        if here is not whole:
            points.append(CurvePoint(n, here))
        return (*points, CurvePoint(len(self.dataset), whole))

    def _least_rows(self) -> int:
        return max(_LEAST_ROWS, 2 * self.dataset.n_classes)
