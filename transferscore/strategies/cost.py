"""What training takes: seconds, bytes, money, and whether that keeps to the limits."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from transferscore.strategies.devices import Device
from transferscore.strategies.limits import Breach, Limits, breaches
from transferscore.strategies.step import StepProfile

__all__ = ["Cost", "Schedule", "cost_of", "memory_bytes", "training_seconds"]

# Assumed of a device that is only stated, not at hand: the share of its peak that dense layers
# reach, how often an activation crosses its memory in a step (written, read, and both again on the
# way back), and the seconds that an operation takes to launch from Python.
_SHARE_OF_PEAK = 0.4
_CROSSINGS = 4.0
_LAUNCH_SECONDS = 1e-5
_MOMENTS = 2  # Adam's
# Mixed precision keeps activations in two bytes, and a two-byte copy of every weight.
_HALF = 0.5


@dataclass(frozen=True, slots=True)
class Schedule:
    """How long a training run is: a search for the learning rate, then the run with the best.

    Attributes:
        n_samples: Labelled samples.
        batch_size: Samples a step.
        epochs: Passes over all samples with the chosen rate; 0 for a probe.
        n_rates: Learning rates that are tried.
        search_epochs: Passes for each of them, over what is not held out.
        held_out_share: Share of the samples that the search looks at after each pass.
    """

    n_samples: int
    batch_size: int
    epochs: int = 0
    n_rates: int = 0
    search_epochs: int = 0
    held_out_share: float = 0.0

    @property
    def n_trained(self) -> float:
        """Samples that steps see in all, each as often as it is seen."""
        fitted = self.n_samples * (1.0 - self.held_out_share)
        return self.epochs * self.n_samples + self.n_rates * self.search_epochs * fitted

    @property
    def n_encoded(self) -> float:
        """Samples that go forward only: to fit a head on, or to be looked at.

        The search fits a head on its part and looks at the rest after each epoch; the run fits one
        on all samples, and looks at them before and after.
        """
        if not self.n_rates:
            return self.n_samples
        held = self.n_samples * self.held_out_share
        searched = self.n_samples - held + self.n_rates * self.search_epochs * held
        return searched + 3 * self.n_samples

    @property
    def n_heads(self) -> float:
        """Heads that are fitted on features, in units of one on all samples."""
        return 1.0 + (1.0 - self.held_out_share if self.n_rates else 0.0)


@dataclass(frozen=True, slots=True)
class Cost:
    """What training one model by one strategy takes.

    Attributes:
        train_seconds: Of one run, from reading the samples to the trained model; None on a stated
            device for a model whose operations cannot be counted.
        train_memory_bytes: Peak bytes of tensors; None where the model cannot be looked into.
        money: At the price of an hour; None where nobody named one.
        fits: Whether it keeps to every limit; None where it breaks none that can be checked, and
            one cannot.
        breaks: Names of the limits that it breaks.
        device: Where it would run.
        basis: What the seconds rest on.
        breaches: The broken limits with their numbers.
    """

    train_seconds: float | None
    train_memory_bytes: int | None
    money: float | None
    fits: bool | None
    breaks: tuple[str, ...]
    device: str
    basis: str
    breaches: tuple[Breach, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """For the ranking document."""
        return asdict(self) | {"breaches": [asdict(breach) for breach in self.breaches]}


def cost_of(step: StepProfile, schedule: Schedule, limits: Limits) -> Cost:
    """What a run of a schedule takes, on this device or on the one that the limits name.

    Args:
        step: One step, as measured here.
        schedule: How long the run is.
        limits: What it may take.
    """
    device = limits.device
    seconds = training_seconds(step, schedule, device)
    memory = memory_bytes(step, schedule.batch_size, mixed=_is_mixed(step, device))
    money = None
    if seconds is not None and limits.price_per_hour is not None:
        money = seconds / 3600.0 * limits.price_per_hour
    broken = breaches(limits, train_seconds=seconds, train_memory_bytes=memory, money=money)
    return Cost(
        seconds,
        memory,
        money,
        _fits(limits, broken, seconds, memory),
        tuple(breach.limit for breach in broken),
        device.name if device is not None else _here(step.device),
        "three timed steps" if device is None else f"stated figures: {device.source}",
        broken,
    )


def training_seconds(step: StepProfile, schedule: Schedule, device: Device | None) -> float | None:
    """Seconds of one run, the search for a learning rate included.

    The model is loaded, and the samples are read and prepared, once. The search, and the run with
    the best rate, start from a head that is fitted on features; for a probe that is all there is.

    Args:
        step: One step, as measured here.
        schedule: How long the run is.
        device: The device, if not this one. Its step takes the longest of three: the operations at
            40 % of its peak, the activations' way through its memory, and launching the operations
            at 10 microseconds each. Reading and fitting heads take as long as here.
    """
    batch = schedule.batch_size
    trained, encoded = step.step_seconds / step.batch_size, step.forward_seconds
    if device is not None:
        if step.step_flops is None or step.forward_flops is None:
            return None
        trained = _stated_seconds(step, step.step_flops, batch, device) / batch
        encoded = _stated_seconds(step, step.forward_flops, batch, device) / batch
    return (
        step.load_seconds
        + schedule.n_samples * step.prepare_seconds
        + schedule.n_heads * step.head_seconds
        + schedule.n_encoded * encoded
        + schedule.n_trained * trained
    )


def memory_bytes(step: StepProfile, batch_size: int, *, mixed: bool) -> int | None:
    """Peak bytes of tensors: weights, Adam's moments, and the more of two passing things.

    Those are the activations when the way back begins, and the gradients when the optimiser steps.
    In float32 as in mixed precision a trained weight takes 16 bytes: itself, its gradient and two
    moments. Neither a GPU's context nor its libraries' scratch space is in it. None where the model
    cannot be looked into.

    Args:
        step: One step, as measured here.
        batch_size: Samples a step.
        mixed: Whether activations are kept in two bytes, beside a two-byte copy of the weights.
    """
    if step.weight_bytes is None or step.activation_bytes is None:
        return None
    activations = step.activation_bytes * batch_size
    if not step.trains_model:
        # A probe runs the model forward only, and is then fitted on features.
        return int(step.weight_bytes + activations)
    weights: float = step.weight_bytes
    if mixed:
        activations, weights = activations * _HALF, weights * (1.0 + _HALF)
    return int(weights + _MOMENTS * step.trainable_bytes + max(activations, step.trainable_bytes))


def _stated_seconds(step: StepProfile, flops: float, batch_size: int, device: Device) -> float:
    """A pass over a batch on a stated device: the slowest of computing, moving and launching."""
    share = flops / step.step_flops if step.step_flops else 1.0
    computing = flops * batch_size / (_SHARE_OF_PEAK * device.flops)
    moved = _CROSSINGS * _HALF * (step.activation_bytes or 0.0) * batch_size * share
    moving = moved / device.bandwidth if device.bandwidth else 0.0
    return max(computing, moving, (step.n_operations or 0) * share * _LAUNCH_SECONDS)


def _fits(
    limits: Limits, broken: tuple[Breach, ...], seconds: float | None, memory: int | None
) -> bool | None:
    if broken:
        return False
    needs_memory = {"max_gpu_memory", "device_memory"} & set(limits.ceilings())
    needs_time = {"max_train_time", "max_cost"} & set(limits.ceilings())
    unknown = (needs_memory and memory is None) or (needs_time and seconds is None)
    return None if unknown else True


def _is_mixed(step: StepProfile, device: Device | None) -> bool:
    return device is not None or step.device.startswith("cuda")


def _here(device: str) -> str:
    return "this machine's GPU" if device.startswith("cuda") else "this machine's CPU"
