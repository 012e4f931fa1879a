"""One training step of a strategy, measured: operations, bytes, and seconds on this device."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from transferscore.encoders.encoder import Batch, Encoder
from transferscore.encoders.torch_inference import autocast, chosen_precision, is_out_of_memory
from transferscore.encoders.trainable import take_rows
from transferscore.strategies.batch_norm import training_norms
from transferscore.strategies.batches import epoch_batches
from transferscore.strategies.flops import flops_of
from transferscore.strategies.live_bytes import usage_of
from transferscore.strategies.optimiser import adamw

if TYPE_CHECKING:
    from torch import Tensor, nn

    from transferscore.encoders.trainable import TrainableModel
    from transferscore.strategies.strategy import Strategy

__all__ = ["StepProfile", "Workload", "profile_forward", "profile_step", "typical_batches"]

_TIMED_STEPS = 3
_COUNTED_SAMPLES = 4
_PATIENCE_SECONDS = 30.0
_DRAWS = 60


@dataclass(frozen=True, slots=True)
class Workload:
    """What a model is trained on.

    Attributes:
        samples: The n samples of the dataset.
        costs: `(n,)` the encoder's relative size of each.
        n_outputs: Classes, or target columns.
        batch_size: Samples a step.
        seed: Of the batches and of what the strategy draws.
    """

    samples: Sequence[Any]
    costs: Sequence[int]
    n_outputs: int
    batch_size: int
    seed: int = 0


@dataclass(frozen=True, slots=True)
class StepProfile:
    """What one step of training a model by one strategy takes.

    Of a model that can only be run, such as an ONNX graph, weights, bytes and operations are None.

    Attributes:
        device: Where the seconds were taken: "cpu" or "cuda".
        trains_model: Whether any of the model's own weights change; a probe changes none.
        batch_size: Samples of a timed step; fewer than asked for where they did not fit.
        n_parameters: Weights of the model, the new head aside.
        n_trainable: Weights that are trained, the new head among them.
        weight_bytes: Of all weights and buffers, the head among them, in float32.
        trainable_bytes: Of the trained ones.
        activation_bytes: What a forward pass holds at its peak, per sample, in float32, for the
            samples that take most: what it keeps for the way back and what it is working on.
        forward_flops: Of a forward pass, per sample.
        step_flops: Of a forward and backward pass, per sample.
        n_operations: Operations of a forward and backward pass, whatever its size.
        forward_seconds: Of a forward pass without gradients, per sample.
        step_seconds: Of a whole step of `batch_size` samples.
        prepare_seconds: Of reading and preparing a sample.
        head_seconds: Of fitting the head on the features of all samples.
        load_seconds: Of reading the model.
    """

    device: str
    trains_model: bool
    batch_size: int
    n_parameters: int | None
    n_trainable: int
    weight_bytes: int | None
    trainable_bytes: int
    activation_bytes: float | None
    forward_flops: float | None
    step_flops: float | None
    n_operations: int | None
    forward_seconds: float
    step_seconds: float
    prepare_seconds: float
    head_seconds: float = 0.0
    load_seconds: float = 0.0

    def to_dict(self) -> dict[str, Any]:
        """As a description that the store keeps."""
        return asdict(self)


def typical_batches(
    costs: Sequence[int], batch_size: int, seed: int, count: int = _TIMED_STEPS
) -> list[NDArray[np.int64]]:
    """Rows of `count` batches that stand for all: a cheap, a middling and a dear one.

    A batch is as dear as its longest text, so of the batches of some epochs those at the middles of
    `count` equal shares are taken; their mean is the mean of an epoch to a few per cent.

    Args:
        costs: `(n,)` relative size of each sample, as an encoder states it.
        batch_size: Samples a batch; all where there are fewer.
        seed: Of the shuffling.
        count: How many batches.
    """
    sizes = np.asarray(costs)
    rng = np.random.default_rng(seed)
    parts: list[NDArray[np.int64]] = []
    while len(parts) < _DRAWS:
        parts += epoch_batches(sizes, np.arange(len(sizes)), batch_size, rng)
    parts.sort(key=lambda rows: int(sizes[rows].max()))
    middles = ((np.arange(count) + 0.5) * len(parts) / count).astype(int)
    return [parts[i] for i in middles]


def profile_step(
    load: Callable[[], TrainableModel], strategy: Strategy, work: Workload
) -> StepProfile:
    """Measure what training a model by a strategy takes, with three real steps.

    Args:
        load: Makes a fresh copy of the model, which is changed and thrown away.
        strategy: How it is adapted.
        work: What it is trained on.

    Raises:
        SampleError: A sample of a batch cannot be read.
        EncoderError: The model cannot be loaded or run.
    """
    began = time.perf_counter()
    model = load()
    load_seconds = time.perf_counter() - began
    n_parameters = sum(weight.numel() for weight in model.module.parameters())
    strategy.apply(model.module, work.seed)
    costliest = np.argsort(np.asarray(work.costs), kind="stable")[-_COUNTED_SAMPLES:]
    counted = _prepared(model, work, costliest)
    trial = _Trial(model, counted, work.n_outputs, from_scratch=strategy.name == "scratch")
    activation_bytes, n_operations = trial.bytes_and_operations()
    forward_flops, step_flops = trial.flops()
    rows = typical_batches(work.costs, work.batch_size, work.seed)
    began = time.perf_counter()
    batches = [_prepared(model, work, each) for each in rows]
    prepare_seconds = (time.perf_counter() - began) / sum(map(len, rows))
    forward_seconds, step_seconds, n_fitting = _timed(trial, batches, min(map(len, rows)))
    return StepProfile(
        model.device,
        trial.trains_model,
        n_fitting,
        n_parameters,
        sum(weight.numel() for weight in trial.trained()),
        sum(tensor.nbytes for tensor in trial.weights()),
        sum(weight.nbytes for weight in trial.trained()),
        activation_bytes / len(costliest),
        forward_flops / len(costliest),
        step_flops / len(costliest),
        n_operations,
        forward_seconds / n_fitting,
        step_seconds,
        prepare_seconds,
        load_seconds=load_seconds,
    )


def profile_forward(encoder: Encoder, work: Workload, n_features: int) -> StepProfile:
    """What a probe takes of a model that can only be run, such as an ONNX graph.

    Args:
        encoder: The model.
        work: What the probe is fitted on.
        n_features: Width of its features.
    """
    rows = typical_batches(work.costs, work.batch_size, work.seed)
    began = time.perf_counter()
    batches = [encoder.prepare([work.samples[int(row)] for row in each]) for each in rows]
    prepare_seconds = (time.perf_counter() - began) / sum(map(len, rows))
    forward_seconds = _mean_seconds("cpu", encoder.forward, batches) / len(rows[0])
    head = (n_features + 1) * work.n_outputs
    return StepProfile(
        device="cpu",
        trains_model=False,
        batch_size=work.batch_size,
        n_parameters=None,
        n_trainable=head,
        weight_bytes=None,
        trainable_bytes=4 * head,
        activation_bytes=None,
        forward_flops=None,
        step_flops=None,
        n_operations=None,
        forward_seconds=forward_seconds,
        step_seconds=0.0,
        prepare_seconds=prepare_seconds,
    )


class _Trial:
    """A model with a new head, and the steps that are measured on it."""

    def __init__(
        self, model: TrainableModel, counted: Batch, n_outputs: int, *, from_scratch: bool
    ) -> None:
        import torch

        self.model, self.counted, self.from_scratch = model, counted, from_scratch
        with torch.no_grad():
            width = model.features(counted).shape[1]
        self.head = torch.nn.Linear(width, n_outputs).to(model.device)
        self.own = [weight for weight in model.module.parameters() if weight.requires_grad]
        self.trains_model = bool(self.own)
        # Next to no learning: the steps are real, what they lead to does not matter.
        self.optimiser = adamw(self.trained(), rate=1e-7)
        self.precision = chosen_precision("auto", model.device)

    def trained(self) -> list[nn.Parameter]:
        """The parameters that a step changes."""
        return [*self.own, *self.head.parameters()]

    def weights(self) -> list[Tensor]:
        """Everything that stays in memory between steps, the optimiser's state aside."""
        inner = self.model.module
        return [*inner.parameters(), *inner.buffers(), *self.head.parameters()]

    def loss(self, batch: Batch) -> Tensor:
        """A loss of the head on a batch."""
        with autocast(self.precision, self.model.device):
            outputs: Tensor = self.head(self.model.features(batch))
        return outputs.float().square().mean()

    def step(self, batch: Batch) -> None:
        """A whole training step, as `loop.fit` makes it."""
        import torch

        self.optimiser.zero_grad()
        with training_norms(from_scratch=self.from_scratch):
            loss = self.loss(batch)
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(self.own, 1.0)
        self.optimiser.step()

    def forward(self, batch: Batch) -> None:
        """A forward pass without gradients."""
        import torch

        with torch.no_grad():
            self.loss(batch)

    def bytes_and_operations(self) -> tuple[int, int]:
        """Peak bytes of a forward pass on the counted samples; operations there and back."""
        kept: list[Tensor] = []
        if not self.trains_model:
            forward = usage_of(lambda: self.forward(self.counted))
            return forward.peak_bytes, forward.n_operations
        peak = usage_of(lambda: kept.append(self.loss(self.counted))).peak_bytes
        kept.clear()
        return peak, usage_of(lambda: self.step(self.counted)).n_operations

    def flops(self) -> tuple[int, int]:
        """Operations of the counted samples: of a forward pass, and of a whole step."""
        forward = flops_of(lambda: self.forward(self.counted))
        return forward, flops_of(lambda: self.step(self.counted)) if self.trains_model else forward


def _prepared(model: TrainableModel, work: Workload, rows: NDArray[np.int64]) -> Batch:
    return model.prepare([work.samples[int(row)] for row in rows])


def _timed(trial: _Trial, batches: list[Batch], size: int) -> tuple[float, float, int]:
    """Seconds of a forward pass and of a step, and how many samples fitted into memory."""
    while True:
        try:
            device = trial.model.device
            forward = _mean_seconds(device, trial.forward, batches)
            step = _mean_seconds(device, trial.step, batches) if trial.trains_model else 0.0
        except Exception as error:
            if not is_out_of_memory(error) or size == 1:
                raise
        else:
            return forward, step, size
        # Outside the handler, so that the failed step's tensors are free before the next.
        size = (size + 1) // 2
        batches = [take_rows(batch, np.arange(size)) for batch in batches]


def _mean_seconds(device: str, run: Callable[[Batch], object], batches: list[Batch]) -> float:
    """Mean over the batches; the first run, which allocates and compiles, is not counted."""
    began = time.perf_counter()
    run(batches[0])
    _finish(device)
    spent = []
    for batch in batches:
        start = time.perf_counter()
        run(batch)
        _finish(device)
        spent.append(time.perf_counter() - start)
        if time.perf_counter() - began > _PATIENCE_SECONDS:
            break
    return sum(spent) / len(spent)


def _finish(device: str) -> None:
    """Wait for the device: a GPU runs behind the program."""
    if device.startswith("cuda"):
        import torch

        torch.cuda.synchronize(device)
