"""The sentence that says why a strategy stands where it does, made of the numbers behind it."""

from __future__ import annotations

from collections.abc import Sequence

from transferscore.strategies.prospect import (
    Prospect,
    Setting,
    family_of,
    gain_text,
    label_of,
    probe_among,
)
from transferscore.strategies.units import bytes_text, count_text, seconds_text

__all__ = ["reason_for"]

_DISTANCES = {
    "low": "the data are close to what the model has seen (distance: low)",
    "moderate": "the data differ from what the model has seen (distance: moderate)",
    "high": "the data are far from what the model has seen (distance: high)",
    "very high": "the data are very far from what the model has seen (distance: very high)",
}
# A sibling that reaches this share of the gain at this share of the memory is worth a mention.
_WORTH_GAIN = 0.8
_WORTH_MEMORY = 0.8


def reason_for(prospect: Prospect, siblings: Sequence[Prospect], setting: Setting) -> str:
    """Why one would, or would not, choose a strategy for a model.

    Args:
        prospect: The strategy.
        siblings: All strategies that the model can take, this one among them.
        setting: What they share.

    Examples:
        >>> probe = Prospect("linear_probe", 0.8)
        >>> full = Prospect("full", 0.89, 0.09, 0.02, 900, 900, 60.0, 3_000_000)
        >>> lora = Prospect("lora", 0.887, 0.087, 0.02, 90, 900, 40.0, 1_000_000)
        >>> setting = Setting(1400, 5, "images", "accuracy", "high")
        >>> print(reason_for(full, [probe, full, lora], setting))  # doctest: +NORMALIZE_WHITESPACE
        Full fine-tuning: the data are far from what the model has seen (distance: high) and 1,400
        images suffice (+9.0 ± 2.0 points over the probe); LoRA reaches 97% of that gain at 33% of
        the memory.
    """
    if prospect.strategy == "linear_probe":
        clauses = [_of_probe(prospect, siblings, setting)]
    else:
        clauses = [_of_tuning(prospect, siblings, setting), *_cheaper(prospect, siblings)]
    clauses.append(prospect.note)
    if not prospect.note and any(
        family_of(each.strategy) == "fine-tune" for each in (prospect, *siblings)
    ):
        clauses.append(setting.gain_note)
    return f"{label_of(prospect.strategy)}: {'; '.join(clause for clause in clauses if clause)}."


def _of_probe(probe: Prospect, siblings: Sequence[Prospect], setting: Setting) -> str:
    reached = f"frozen features reach {_value_text(probe, setting)}"
    others = [s for s in siblings if family_of(s.strategy) == "fine-tune"]
    if not others:
        return f"{reached} with {_trained_text(probe)}, and the model runs forward only"
    best = max(others, key=lambda s: s.gain)
    gain = f"{label_of(best.strategy)} {gain_text(best, setting)}"
    if best.gains_surely:
        return f"{reached}; fine-tuning adds to that ({gain})"
    close = f"{_DISTANCES['low']} and " if setting.distance_level == "low" else ""
    return f"{close}{reached}; fine-tuning adds nothing that is sure ({gain})"


def _of_tuning(prospect: Prospect, siblings: Sequence[Prospect], setting: Setting) -> str:
    if probe_among(siblings) is None:
        return f"expected to reach {_value_text(prospect, setting)} with {_trained_text(prospect)}"
    gain = f"({gain_text(prospect, setting)} over the probe)"
    where = _DISTANCES.get(setting.distance_level or "")
    samples = f"{setting.n_samples:,} {setting.noun}"
    if prospect.gains_surely:
        suffice = f"{samples} suffice {gain}"
        near = setting.distance_level == "low"
        return f"{where}{', yet' if near else ' and'} {suffice}" if where else suffice
    if prospect.gain < -prospect.gain_half:
        return f"{samples} are too few for {_trained_text(prospect)} {gain}"
    more = f"no sure gain {gain}"
    if prospect.n_trainable is not None:
        more += f" for {_trained_text(prospect)}"
    return f"{where}, and {more}" if where and setting.distance_level == "low" else more


def _cheaper(prospect: Prospect, siblings: Sequence[Prospect]) -> list[str]:
    """The cheapest other way to most of the same gain, and what it saves."""
    if not prospect.gains_surely or not prospect.memory_bytes:
        return []
    rivals = [
        s
        for s in siblings
        if s.strategy not in (prospect.strategy, "linear_probe", "scratch")
        and s.memory_bytes is not None
        and s.gain >= _WORTH_GAIN * prospect.gain
        and s.memory_bytes <= _WORTH_MEMORY * prospect.memory_bytes
    ]
    if not rivals:
        return []
    best = max(rivals, key=lambda s: s.gain)
    share = best.gain / prospect.gain
    reached = f"reaches {share:.0%} of that gain" if share <= 1.0 else "reaches no less"
    saved = f"at {(best.memory_bytes or 0) / prospect.memory_bytes:.0%} of the memory"
    return [f"{label_of(best.strategy)} {reached} {saved}{_no_faster(best, prospect)}"]


def _no_faster(rival: Prospect, prospect: Prospect) -> str:
    """Adapters of a small model save memory, not time: many expect both."""
    if rival.seconds is None or prospect.seconds is None:
        return ""
    if not rival.strategy.startswith("lora") or rival.seconds < 0.9 * prospect.seconds:
        return ""
    times = f"{seconds_text(rival.seconds)} against {seconds_text(prospect.seconds)}"
    return f", but not of the time ({times})"


def _value_text(prospect: Prospect, setting: Setting) -> str:
    return f"{prospect.value:.1%}" if setting.is_share else f"{setting.metric} {prospect.value:.3f}"


def _trained_text(prospect: Prospect) -> str:
    if prospect.n_trainable is None:
        return "the head alone" if prospect.strategy == "linear_probe" else "what is trained"
    memory = f" in {bytes_text(prospect.memory_bytes)}" if prospect.memory_bytes else ""
    return f"{count_text(prospect.n_trainable)} trained weights{memory}"
