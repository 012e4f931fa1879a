"""Evidence: what kernels and rehearsals say of each strategy, before it is calibrated."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from transferscore.datasets import Dataset
from transferscore.encoders import Encoder, TrainableModel, trainable_model
from transferscore.strategies.kernel import (
    KernelFit,
    best_mixture,
    feature_kernel,
    feature_scale,
    gram,
    targets_of,
    unit_kernel,
)
from transferscore.strategies.rehearsal import Rehearsal, rehearse
from transferscore.strategies.strategy import LoRA, Strategy
from transferscore.strategies.tangent import Tangents, tangents

if TYPE_CHECKING:
    from torch import nn

__all__ = ["Evidence", "gather_evidence"]

N_DIRECTIONS = 3
_NIL = 1e-10


@dataclass(frozen=True, slots=True)
class Evidence:
    """What is known of one strategy without training it.

    Attributes:
        kernel: Leave-one-out fit of its kernel; of a scratch strategy, that of full tuning.
        rehearsal: Of full tuning, the same for all strategies; None for a probe, and where nothing
            is rehearsed.
        n_trainable: Weights that the strategy trains, the classifier aside.
    """

    kernel: KernelFit
    rehearsal: Rehearsal | None
    n_trainable: int


def gather_evidence(
    encoder: Encoder,
    dataset: Dataset,
    strategies: Sequence[Strategy],
    seed: int,
    *,
    rehearsed: bool = True,
) -> dict[str, Evidence | str]:
    """Strategy name to evidence, or to the reason why the model cannot take it.

    Args:
        encoder: A model that can be trained.
        dataset: The n rows that may be used.
        strategies: What to look at.
        seed: Seed of directions, projections and rehearsals.
        rehearsed: Whether to rehearse at all.

    Raises:
        EncoderError: The model has no gradients.
    """
    model = trainable_model(encoder, dataset.samples[:2])
    reasons = {s.name: s.unavailable(model.module) for s in strategies}
    found: dict[str, Evidence | str] = {n: reason for n, reason in reasons.items() if reason}
    able = [strategy for strategy in strategies if strategy.name not in found]
    if not able:
        return found
    seen = _tangents(encoder, model, dataset, seed)
    targets, frozen = targets_of(dataset), feature_kernel(seen.features)
    probe = best_mixture(frozen, None, targets)
    rehearsal = rehearse(encoder, dataset, seed) if rehearsed else None
    for strategy in able:
        kernel, n_trainable = _kernel(seen, strategy, model), _n_trainable(strategy, model.module)
        fit = probe if kernel is None else best_mixture(frozen, kernel, targets)
        found[strategy.name] = Evidence(fit, rehearsal if n_trainable else None, n_trainable)
    return found


def _tangents(encoder: Encoder, model: TrainableModel, dataset: Dataset, seed: int) -> Tangents:
    batch = model.prepare(dataset.samples)
    order = np.argsort([encoder.cost(sample) for sample in dataset.samples], kind="stable")
    few = model.features(model.prepare(dataset.samples[:32])).detach().float().cpu().numpy()
    draws = np.random.default_rng(seed).normal(size=(N_DIRECTIONS, few.shape[1]))
    return tangents(model, batch, order, (draws / feature_scale(few)).astype(np.float32), seed=seed)


def _kernel(
    seen: Tangents, strategy: Strategy, model: TrainableModel
) -> NDArray[np.float64] | None:
    """Sum of the unit kernels of what the strategy trains; None where it trains nothing.

    Each parameter counts alike, as under Adam, whose steps do not grow with the gradient.
    """
    names = [name for name in strategy.select(model.module) if name in seen.blocks]
    if not names:
        return None
    blocks = [seen.blocks[name] for name in names]
    if isinstance(strategy, LoRA):
        # An adapter sees its input through its own random projection of `rank` numbers.
        blocks = [block[:, :, : strategy.rank] for block in blocks]
    kernels = [gram(block) for block in blocks]
    sizes = np.array([np.trace(kernel) for kernel in kernels])
    # A key's bias has no effect on attention: its gradient is rounding, and must not count alike.
    felt = [
        kernel for kernel, size in zip(kernels, sizes, strict=True) if size > _NIL * sizes.max()
    ]
    return unit_kernel(np.sum([unit_kernel(kernel) for kernel in felt], axis=0))


def _n_trainable(strategy: Strategy, module: nn.Module) -> int:
    shapes = {name: weight.shape for name, weight in module.named_parameters()}
    chosen = [shapes[name] for name in strategy.select(module)]
    if isinstance(strategy, LoRA):
        return sum(strategy.rank * (shape[0] + shape[1]) for shape in chosen)
    return sum(shape.numel() for shape in chosen)
