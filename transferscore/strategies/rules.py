"""The rules of thumb that people know, as evidence beside the prediction: which apply, and why.

A rule never decides. Each says what it would do and the number that it goes by, and whether the
prediction, which was made from the data, agrees.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from transferscore.strategies.prospect import (
    Prospect,
    Setting,
    family_of,
    gain_text,
    label_of,
    probe_among,
)
from transferscore.strategies.units import bytes_text, count_text, seconds_text

__all__ = ["RuleFinding", "rules_of_thumb"]

# Where the rules, which give no numbers themselves, are taken to speak.
_FEW_LABELS_A_CLASS = 50
_MANY_LABELS_A_CLASS = 500
_WEIGHTS_A_LABEL = 1000.0
_CEILING = 0.95
# Below so many weights the forward and backward passes take the time, not the optimiser.
_SMALL_MODEL = 100_000_000


@dataclass(frozen=True, slots=True)
class RuleFinding:
    """What one rule of thumb says here.

    Attributes:
        rule: Its name.
        says: "freeze", "fine-tune", "train fewer weights" or "note": what it would do.
        because: The number that triggered it, in a sentence.
        prediction: What the prediction says to that, in a sentence.
        agrees: Whether both point the same way; None for a note.
    """

    rule: str
    says: str
    because: str
    prediction: str
    agrees: bool | None

    def to_dict(self) -> dict[str, Any]:
        """For the ranking document."""
        return asdict(self)


def rules_of_thumb(
    chosen: Prospect, prospects: Sequence[Prospect], setting: Setting
) -> tuple[RuleFinding, ...]:
    """The rules that the numbers trigger, each beside the prediction.

    Args:
        chosen: The strategy that the prediction recommends for the model.
        prospects: All strategies that the model can take.
        setting: What they share.
    """
    found = [
        _domain(chosen, prospects, setting),
        _labels(chosen, prospects, setting),
        _overfitting(chosen, prospects, setting),
        _ceiling(chosen, prospects, setting),
        _compute(chosen, prospects),
        _adapters(prospects),
        _pretraining(prospects, setting),
    ]
    return tuple(finding for finding in found if finding is not None)


def _domain(
    chosen: Prospect, prospects: Sequence[Prospect], setting: Setting
) -> RuleFinding | None:
    if setting.distance_level is None:
        return None
    says = "freeze" if setting.distance_level == "low" else "fine-tune"
    number = f" ({setting.distance_text})" if setting.distance_text else ""
    because = f"The distance to what the model has seen is {setting.distance_level}{number}."
    return _judged("domain", says, because, chosen, prospects, setting)


def _labels(
    chosen: Prospect, prospects: Sequence[Prospect], setting: Setting
) -> RuleFinding | None:
    per_class = setting.n_samples / max(1, setting.n_classes)
    a_class = " a class" if setting.n_classes else ""
    if per_class < _FEW_LABELS_A_CLASS:
        because = f"{per_class:.0f} labels{a_class} are fewer than {_FEW_LABELS_A_CLASS}."
        return _judged("few labels", "freeze", because, chosen, prospects, setting)
    if per_class >= _MANY_LABELS_A_CLASS:
        because = f"{per_class:,.0f} labels{a_class} are {_MANY_LABELS_A_CLASS} or more."
        return _judged("many labels", "fine-tune", because, chosen, prospects, setting)
    return None


def _overfitting(
    chosen: Prospect, prospects: Sequence[Prospect], setting: Setting
) -> RuleFinding | None:
    full = _named("full", prospects)
    if full is None or full.n_trainable is None:
        return None
    a_label = full.n_trainable / setting.n_samples
    if a_label <= _WEIGHTS_A_LABEL:
        return None
    because = (
        f"Full fine-tuning trains {count_text(a_label)} weights a label "
        f"({count_text(full.n_trainable)} for {setting.n_samples:,} labels)."
    )
    fewer = [p for p in prospects if p.strategy not in ("full", "scratch")]
    best = max(fewer, key=lambda p: p.value, default=None)
    if best is None:
        return None
    lead = 100 * (full.value - best.value) if setting.is_share else full.value - best.value
    unit = " points" if setting.is_share else f" in {setting.metric}"
    prediction = f"Full against the best that trains fewer ({best.strategy}): {lead:+.2g}{unit}."
    agrees = chosen.strategy not in ("full", "scratch")
    return RuleFinding("overfitting", "train fewer weights", because, prediction, agrees)


def _ceiling(
    chosen: Prospect, prospects: Sequence[Prospect], setting: Setting
) -> RuleFinding | None:
    probe = probe_among(prospects)
    if probe is None or not setting.is_share or probe.value < _CEILING:
        return None
    because = f"Frozen features reach {probe.value:.1%} already."
    return _judged("near the ceiling", "freeze", because, chosen, prospects, setting)


def _compute(chosen: Prospect, prospects: Sequence[Prospect]) -> RuleFinding | None:
    full = _named("full", prospects)
    if full is None or not full.breaks:
        return None
    because = f"Full fine-tuning breaks {' and '.join(full.breaks)}{_takes(full)}."
    prediction = f"{label_of(chosen.strategy)} is the best that fits{_takes(chosen)}."
    if chosen.breaks:
        prediction = "No strategy fits."
    agrees = chosen.strategy != "full"
    return RuleFinding("little compute", "train fewer weights", because, prediction, agrees)


def _adapters(prospects: Sequence[Prospect]) -> RuleFinding | None:
    full = _named("full", prospects)
    lora = next((p for p in prospects if p.strategy.partition(":")[0] == "lora"), None)
    if full is None or lora is None or not (full.seconds and full.memory_bytes):
        return None
    if lora.seconds is None or lora.memory_bytes is None or full.n_parameters is None:
        return None
    if full.n_parameters >= _SMALL_MODEL:
        return None
    because = f"The model has {count_text(full.n_parameters)} weights, fewer than 100 M."
    prediction = (
        f"LoRA takes {lora.memory_bytes / full.memory_bytes:.0%} of the memory and "
        f"{lora.seconds / full.seconds:.0%} of the time of full fine-tuning: below 100 M weights "
        f"adapters save memory, not time."
    )
    return RuleFinding("adapters of a small model", "note", because, prediction, None)


def _pretraining(prospects: Sequence[Prospect], setting: Setting) -> RuleFinding | None:
    scratch = _named("scratch", prospects)
    rest = [p for p in prospects if p.strategy != "scratch"]
    if scratch is None or not rest:
        return None
    best = max(rest, key=lambda p: p.value)
    lead = best.value - scratch.value
    size = f"{100 * lead:+.1f} points" if setting.is_share else f"{lead:+.3f} in {setting.metric}"
    because = f"Pretrained weights ({best.strategy}) against none: {size}."
    prediction = "Pretraining helps." if lead > 0 else "Pretraining does not help on these data."
    return RuleFinding("pretraining", "note", because, prediction, None)


def _judged(
    rule: str,
    says: str,
    because: str,
    chosen: Prospect,
    prospects: Sequence[Prospect],
    setting: Setting,
) -> RuleFinding:
    """A rule beside the best fine-tuning that was predicted."""
    tuned = [p for p in prospects if family_of(p.strategy) == "fine-tune"]
    if probe_among(prospects) is None or not tuned:
        prediction = f"Of the strategies asked for, {label_of(chosen.strategy)} is the best."
    else:
        best = max(tuned, key=lambda p: p.gain)
        sure = "" if best.gains_surely or best.gain < -best.gain_half else ", which may be chance"
        prediction = f"{label_of(best.strategy)}: {gain_text(best, setting)} over the probe{sure}."
    return RuleFinding(rule, says, because, prediction, family_of(chosen.strategy) == says)


def _named(strategy: str, prospects: Sequence[Prospect]) -> Prospect | None:
    return next((p for p in prospects if p.strategy == strategy), None)


def _takes(prospect: Prospect) -> str:
    known = [
        bytes_text(prospect.memory_bytes) if prospect.memory_bytes is not None else "",
        seconds_text(prospect.seconds) if prospect.seconds is not None else "",
    ]
    text = ", ".join(part for part in known if part)
    return f" ({text})" if text else ""
