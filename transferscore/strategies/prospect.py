"""Prospect: what one strategy promises for one model, in the numbers that reasons are made of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

__all__ = ["LABELS", "Prospect", "Setting", "family_of", "gain_text", "label_of", "probe_among"]

LABELS = {
    "linear_probe": "Linear probe",
    "norm_tuning": "Norm tuning",
    "partial": "Partial fine-tuning",
    "lora": "LoRA",
    "full": "Full fine-tuning",
    "scratch": "Training from scratch",
}


@dataclass(frozen=True, slots=True)
class Prospect:
    """What is expected of one strategy.

    Attributes:
        strategy: Its name.
        value: Expected metric.
        gain: Over the probe of the same model; 0 for the probe itself.
        gain_half: Half the 90 % interval of that gain, what both share left out.
        n_trainable: Weights that are trained, the head among them; None where unknown.
        n_parameters: Weights of the model; None where unknown.
        seconds: Training time; None where unknown.
        memory_bytes: Peak memory; None where unknown.
        breaks: Limits that it breaks.
        note: What else is to be known of the prediction, as a clause; may be empty.
    """

    strategy: str
    value: float
    gain: float = 0.0
    gain_half: float = 0.0
    n_trainable: int | None = None
    n_parameters: int | None = None
    seconds: float | None = None
    memory_bytes: int | None = None
    breaks: tuple[str, ...] = ()
    note: str = ""

    @property
    def gains_surely(self) -> bool:
        """Whether the gain is above 0 within its interval."""
        return self.gain > self.gain_half


@dataclass(frozen=True, slots=True)
class Setting:
    """What is the same for all strategies of one model.

    Attributes:
        n_samples: Labelled samples.
        n_classes: Classes; 0 for regression.
        noun: What the samples are, in the plural.
        metric: Name of the metric.
        distance_level: How far the data lie from what the model has seen; None where unknown.
        distance_text: The number behind it.
        gain_note: What is to be known of predicted gains on such data, as a clause; may be empty.
    """

    n_samples: int
    n_classes: int
    noun: str
    metric: str
    distance_level: str | None = None
    distance_text: str = ""
    gain_note: str = ""

    @property
    def is_share(self) -> bool:
        """Whether the metric is a share, whose differences are told in points."""
        return self.metric in ("accuracy", "macro_f1")


def label_of(strategy: str) -> str:
    """The strategy's name as a sentence begins with it."""
    stem, _, rank = strategy.partition(":")
    label = LABELS.get(stem, f"`{stem}`")
    return f"{label} of rank {rank}" if rank else label


def family_of(strategy: str) -> str:
    """What a rule of thumb would call it: "freeze", "fine-tune" or "scratch"."""
    return {"linear_probe": "freeze", "scratch": "scratch"}.get(strategy, "fine-tune")


def probe_among(prospects: Sequence[Prospect]) -> Prospect | None:
    """The linear probe, if it is one of them."""
    return next((p for p in prospects if p.strategy == "linear_probe"), None)


def gain_text(prospect: Prospect, setting: Setting) -> str:
    """The gain over the probe with its interval: "+9.1 ± 2.0 points"."""
    if setting.is_share:
        return f"{100 * prospect.gain:+.1f} ± {100 * prospect.gain_half:.1f} points"
    return f"{prospect.gain:+.3f} ± {prospect.gain_half:.3f} in {setting.metric}"
