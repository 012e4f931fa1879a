"""The loop that every strategy is trained by, and what it starts from."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from transferscore.datasets import Dataset
from transferscore.encoders import Encoder, TrainableModel, take_rows, trainable_model
from transferscore.errors import EncoderError
from transferscore.strategies.batch_norm import training_norms
from transferscore.strategies.batches import epoch_batches
from transferscore.strategies.measures import measure
from transferscore.strategies.optimiser import adamw
from transferscore.strategies.probe import Probe, fit_probe, head_of
from transferscore.strategies.strategy import Strategy, trainable_parameters

if TYPE_CHECKING:
    from torch import Tensor, nn

__all__ = [
    "LEARNING_RATES",
    "TrainingPlan",
    "TrainingRun",
    "bearable_loss",
    "features_of",
    "first_probe",
    "fit",
    "held_out_rows",
    "outputs_of",
    "outputs_on",
    "prepare_run",
    "score_of",
    "score_on",
]

# Three for each strategy, a factor of four apart; the best is found on a held-out part.
LEARNING_RATES: Mapping[str, tuple[float, ...]] = {
    "norm_tuning": (5e-4, 2e-3, 8e-3),
    "partial": (1e-4, 4e-4, 1.6e-3),
    "lora": (5e-4, 2e-3, 8e-3),
    "full": (5e-5, 2e-4, 8e-4),
    "scratch": (1e-3, 4e-3),
}
_HEAD_RATE = 1e-3


@dataclass(frozen=True, slots=True)
class TrainingPlan:
    """How a strategy is trained.

    Attributes:
        epochs: Passes over the training rows, under one cosine schedule.
        search_epochs: Passes for each learning rate that is tried.
        batch_size: Rows in a step.
        learning_rates: What to try; by default three for the strategy.
        weight_decay: AdamW's.
        held_out: Share of the training rows on which the learning rate and when to stop are chosen.
    """

    epochs: int = 15
    search_epochs: int = 5
    batch_size: int = 16
    learning_rates: tuple[float, ...] | None = None
    weight_decay: float = 0.01
    held_out: float = 0.25


@dataclass(frozen=True, slots=True)
class TrainingRun:
    """One model under one strategy, with the weights that training starts from."""

    model: TrainableModel
    batch: Any
    costs: NDArray[np.int64]
    dataset: Dataset
    plan: TrainingPlan
    rates: Sequence[float]
    seed: int
    from_scratch: bool
    start: Mapping[str, Tensor] = field(repr=False)

    @property
    def n_trainable(self) -> int:
        """Weights that are trained, the classifier aside."""
        return trainable_parameters(self.model.module) if self.start else 0

    def restart(self) -> None:
        """Put back the weights that training starts from."""
        import torch

        state = self.model.module.state_dict()
        with torch.no_grad():
            for name, tensor in self.start.items():
                state[name].copy_(tensor)

    def norms(self) -> AbstractContextManager[None]:
        """How batch norms behave in a step of training."""
        return training_norms(from_scratch=self.from_scratch)


def prepare_run(
    encoder: Encoder, strategy: Strategy, dataset: Dataset, plan: TrainingPlan, seed: int
) -> TrainingRun:
    """A fresh copy of the model with the strategy applied, and its input prepared.

    Raises:
        EncoderError: The model has no gradients, or cannot take the strategy.
    """
    model = trainable_model(encoder, dataset.samples[:2])
    if (reason := strategy.unavailable(model.module)) is not None:
        raise EncoderError(
            f"The strategy `{strategy.name}` is not available for `{model.name}`: {reason}."
        )
    batch = model.prepare(dataset.samples)
    strategy.apply(model.module, seed)
    rates = plan.learning_rates or LEARNING_RATES.get(
        strategy.name.partition(":")[0], LEARNING_RATES["full"]
    )
    from_scratch = strategy.name == "scratch"
    start = _trained_state(model.module, with_buffers=from_scratch)
    costs = np.array([encoder.cost(sample) for sample in dataset.samples])
    return TrainingRun(model, batch, costs, dataset, plan, rates, seed, from_scratch, start)


def _trained_state(module: nn.Module, *, with_buffers: bool) -> dict[str, Tensor]:
    """Copies of the weights that are trained (and of running statistics)."""
    wanted = {name for name, weight in module.named_parameters() if weight.requires_grad}
    if with_buffers and wanted:
        wanted |= {name for name, _ in module.named_buffers()}
    state = module.state_dict()
    return {name: state[name].detach().clone() for name in wanted & set(state)}


def fit(  # noqa: PLR0913 -- what is trained, on what, from where and for how long
    run: TrainingRun,
    rows: NDArray[np.int64],
    probe: Probe,
    rate: float,
    epochs: int,
    stop: int,
    ends: Callable[[nn.Module], bool] | None = None,
) -> nn.Module:
    """Train from the start on some rows, `stop` of the `epochs` of a cosine schedule.

    The classifier starts as the probe, which `first_probe` fits once for several trainings. After
    each epoch `ends` is asked whether that was the last.
    """
    import torch

    run.restart()
    head = head_of(probe).to(run.model.device)
    weights = [weight for weight in run.model.module.parameters() if weight.requires_grad]
    groups = [{"params": weights}, {"params": head.parameters(), "lr": _HEAD_RATE}]
    optimizer = adamw(groups, rate, run.plan.weight_decay)
    steps = epochs * math.ceil(len(rows) / run.plan.batch_size)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, _warm_cosine(steps))
    scaler = torch.amp.GradScaler(run.model.device, enabled=run.model.device.startswith("cuda"))
    rng = np.random.default_rng(run.seed)
    for _ in range(stop):
        for part in epoch_batches(run.costs, rows, run.plan.batch_size, rng):
            optimizer.zero_grad(set_to_none=True)
            with run.norms(), _mixed(run.model.device):
                outputs = head(run.model.features(take_rows(run.batch, part)))
                loss = _loss_of(outputs, run.dataset, part)
            scaler.scale(loss).backward()  # type: ignore[no-untyped-call]
            scaler.unscale_(optimizer)
            torch.nn.utils.clip_grad_norm_(weights, 1.0)
            scaler.step(optimizer)
            scaler.update()
            schedule.step()
        if ends is not None and ends(head):
            break
    return head


def _warm_cosine(steps: int) -> Callable[[int], float]:
    """One tenth of the steps up, then down along a cosine."""
    warm = max(1, steps // 10)

    def factor(step: int) -> float:
        if step < warm:
            return (step + 1) / warm
        return 0.5 * (1.0 + math.cos(math.pi * min(1.0, (step - warm) / max(1, steps - warm))))

    return factor


def _mixed(device: str) -> AbstractContextManager[Any]:
    import torch

    return torch.autocast("cuda") if device.startswith("cuda") else nullcontext()


def _loss_of(outputs: Tensor, dataset: Dataset, rows: NDArray[np.int64]) -> Tensor:
    """Cross-entropy, or squared error in units of the targets' variance."""
    import torch
    from torch.nn import functional

    labels = torch.from_numpy(np.asarray(dataset.labels[rows])).to(outputs.device)
    if dataset.n_classes:
        return functional.cross_entropy(outputs.float(), labels)
    spread = float(np.std(dataset.labels)) or 1.0
    targets = labels.float().reshape(outputs.shape)
    return functional.mse_loss(outputs.float() / spread, targets / spread)


def first_probe(run: TrainingRun, rows: NDArray[np.int64]) -> Probe:
    """The probe on the features that training starts from."""
    run.restart()
    labels = run.dataset.labels[rows]
    return fit_probe(features_of(run, rows), labels, run.dataset.n_classes)


def held_out_rows(
    run: TrainingRun, rows: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Training rows apart from a seeded held-out share of each class."""
    rng = np.random.default_rng(run.seed)
    shuffled = rows[rng.permutation(len(rows))]
    if run.dataset.n_classes:
        shuffled = shuffled[np.argsort(run.dataset.labels[shuffled], kind="stable")]
    every = max(2, round(1.0 / run.plan.held_out))
    held = np.arange(len(rows)) % every == every - 1
    return shuffled[~held], shuffled[held]


def score_of(run: TrainingRun, head: nn.Module, rows: NDArray[np.int64]) -> tuple[float, float]:
    """The leading metric and the loss of model and head on some rows."""
    return score_on(run, outputs_of(run, head, rows), rows)


def score_on(
    run: TrainingRun, outputs: NDArray[Any], rows: NDArray[np.int64]
) -> tuple[float, float]:
    """The leading metric and the loss of outputs `(r, K)` on their rows."""
    import torch

    metrics = measure(outputs, run.dataset.labels[rows], run.dataset.task.kind)
    loss = float(_loss_of(torch.from_numpy(outputs), run.dataset, rows))
    return next(iter(metrics.values())), loss


def bearable_loss(run: TrainingRun, outputs: NDArray[Any], rows: NDArray[np.int64]) -> float:
    """Loss on its training rows above which a model has lost half of what the probe knew of them.

    Halfway from the loss of the probe's outputs `(r, K)` to that of who knows the classes' shares,
    or the mean, and nothing else. A learning rate that leads there tears the model apart.
    """
    _, known = score_on(run, outputs, rows)
    if not run.dataset.n_classes:
        return 0.5 * (known + 1.0)
    shares = np.bincount(run.dataset.labels[rows]) / len(rows)
    return 0.5 * (known - float(np.sum(shares * np.log(np.maximum(shares, 1e-12)))))


def outputs_of(run: TrainingRun, head: nn.Module, rows: NDArray[np.int64]) -> NDArray[np.float32]:
    """What model and head say of some rows, `(r, K)`."""
    return outputs_on(run, head, features_of(run, rows))


def outputs_on(
    run: TrainingRun, head: nn.Module, features: NDArray[np.float32]
) -> NDArray[np.float32]:
    """What a head says, `(r, K)`, of features `(r, d)`."""
    import torch

    with torch.no_grad():
        rows = torch.from_numpy(features).to(run.model.device)
        outputs: NDArray[np.float32] = head(rows).float().cpu().numpy()
    return outputs


def features_of(run: TrainingRun, rows: NDArray[np.int64]) -> NDArray[np.float32]:
    """Features `(r, d)` that the model has now."""
    import torch

    order = np.argsort(run.costs[rows], kind="stable")
    with torch.no_grad(), _mixed(run.model.device):
        parts = [
            run.model.features(take_rows(run.batch, part)).float().cpu().numpy()
            for part in np.array_split(rows[order], max(1, math.ceil(len(rows) / 64)))
        ]
    features = np.concatenate(parts)
    return features[np.argsort(order)]
