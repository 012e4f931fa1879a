"""Decision: freeze, LoRA, or fine-tune everything? The choice, and the evidence beside it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from transferscore.datasets import Dataset
from transferscore.ranking.answers import answers_of
from transferscore.ranking.pairs import Pair, prospects_of
from transferscore.strategies.limits import changes_needed
from transferscore.strategies.prospect import Prospect, Setting, label_of
from transferscore.strategies.reason import reason_for
from transferscore.strategies.rules import RuleFinding, rules_of_thumb

__all__ = ["Decision", "Nearest", "decide", "reasons_of"]

_NOUNS = {"image": "images", "text": "texts", "text_pair": "text pairs", "audio": "recordings"}
# Measured on TREC-6, MiniLM: see tests/benchmarks/calibrate_outlook.py.
_TEXT_NOTE = (
    "on text, predicted gains of fine-tuning have been too small: take them as a lower bound"
)
_GAIN_NOTES = {"text": _TEXT_NOTE, "text_pair": _TEXT_NOTE}
_NEAREST = 3


@dataclass(frozen=True, slots=True)
class Nearest:
    """A candidate that breaks a limit, and what would have to change for it to fit.

    Attributes:
        model: Its URI or name.
        strategy: How it would be adapted.
        value: Expected metric.
        breaks: The limits that it breaks.
        change: What they would have to be, in a sentence's words.
    """

    model: str
    strategy: str
    value: float
    breaks: tuple[str, ...]
    change: str


@dataclass(frozen=True, slots=True)
class Decision:
    """Which pair to take, and why.

    Attributes:
        model: The model of the first candidate.
        strategy: How to adapt it.
        fits: Whether it keeps to the limits; None where that is not known.
        reason: Why, in a sentence.
        rules: What rules of thumb say, beside the prediction.
        disagreements: Where a rule of thumb and the prediction point different ways, in sentences.
        cheaper: Candidates tied with the first that take less time or memory, in sentences.
        answers: What more labels, or another model, would do, in sentences.
        nearest: Those that break a limit and are predicted higher, or, where none fits, those that
            come nearest to fitting.
    """

    model: str
    strategy: str
    fits: bool | None
    reason: str
    rules: tuple[RuleFinding, ...] = ()
    disagreements: tuple[str, ...] = ()
    cheaper: tuple[str, ...] = ()
    answers: tuple[str, ...] = ()
    nearest: tuple[Nearest, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """For the ranking document."""
        return asdict(self)


def decide(pairs: Sequence[Pair], tied: Sequence[bool], dataset: Dataset) -> Decision | None:
    """The decision that an ordered list of pairs means; None without strategies.

    Args:
        pairs: In the order of the ranking.
        tied: Which of them the sample cannot tell apart from the first.
        dataset: What was ranked on.
    """
    if not pairs or pairs[0].option is None:
        return None
    first = pairs[0]
    prospects = prospects_of([p for p in pairs if p.entry is first.entry])
    chosen, setting = prospects[first.strategy], setting_of(first, dataset)
    rules = rules_of_thumb(chosen, list(prospects.values()), setting)
    return Decision(
        first.entry.model,
        first.strategy,
        None if first.cost is None else first.cost.fits,
        reason_for(chosen, list(prospects.values()), setting),
        rules,
        tuple(_disagreement(rule, chosen) for rule in rules if rule.agrees is False),
        tuple(_cheaper(pairs, tied)),
        answers_of(pairs, setting),
        tuple(_nearest(pairs)),
    )


def reasons_of(pairs: Sequence[Pair], dataset: Dataset) -> list[str | None]:
    """The sentence of each pair; None without strategies."""
    of_model: dict[int, dict[str, Prospect]] = {}
    for pair in pairs:
        if id(pair.entry) not in of_model:
            own = [p for p in pairs if p.entry is pair.entry]
            of_model[id(pair.entry)] = prospects_of(own)
    return [
        None
        if pair.option is None
        else reason_for(
            of_model[id(pair.entry)][pair.strategy],
            list(of_model[id(pair.entry)].values()),
            setting_of(pair, dataset),
        )
        for pair in pairs
    ]


def setting_of(pair: Pair, dataset: Dataset) -> Setting:
    """What the strategies of one model share."""
    noun = _NOUNS.get(dataset.modality, "samples")
    note = _GAIN_NOTES.get(dataset.modality, "")
    shared = Setting(len(dataset), dataset.n_classes, noun, dataset.task.metric, gain_note=note)
    distance = pair.entry.evaluation.distance
    if distance is None:
        return shared
    number = f"{distance.name} {distance.value:.3g}, from {distance.rests_on}"
    return replace(shared, distance_level=distance.level, distance_text=number)


def _disagreement(rule: RuleFinding, chosen: Prospect) -> str:
    because = rule.because.rstrip(".")
    thumb = f'The rule of thumb "{rule.rule}" says {rule.says} ({because})'
    verdict = f"the prediction says {label_of(chosen.strategy)}"
    return f"{thumb}; {verdict} ({rule.prediction.rstrip('.')})."


def _cheaper(pairs: Sequence[Pair], tied: Sequence[bool]) -> list[str]:
    """Those that the sample cannot tell from the first, and that take less of both."""
    first = pairs[0].cost
    if first is None or first.train_seconds is None:
        return []
    found = []
    for pair, is_tied in zip(pairs[1:], tied[1:], strict=True):
        cost = pair.cost
        if not is_tied or cost is None or cost.train_seconds is None or cost.fits is False:
            continue
        less = cost.train_seconds / first.train_seconds
        if less <= _LESS and (cost.train_memory_bytes or 0) <= (first.train_memory_bytes or 0):
            name = f"{label_of(pair.strategy)} of {pair.entry.model}"
            found.append(f"{name} is tied with the first and takes {less:.0%} of the time.")
    return found[:_NEAREST]


_LESS = 0.8


def _nearest(pairs: Sequence[Pair]) -> list[Nearest]:
    """What limits stand in the way of: the nearest to fitting, or those predicted higher."""
    broken = [pair for pair in pairs if pair.breaks]
    if not pairs[0].breaks:
        better = [pair for pair in broken if pair.value > pairs[0].value]
        return [_as_nearest(pair) for pair in better[:_NEAREST]]
    return [_as_nearest(pair) for pair in sorted(broken, key=_excess)[:_NEAREST]]


def _excess(pair: Pair) -> float:
    """How many times over its worst limit a pair is."""
    return max((breach.excess for breach in pair.cost.breaches), default=1.0) if pair.cost else 1.0


def _as_nearest(pair: Pair) -> Nearest:
    broken = pair.cost.breaches if pair.cost is not None else ()
    return Nearest(
        pair.entry.model,
        pair.strategy,
        pair.value,
        tuple(breach.limit for breach in broken),
        changes_needed(broken),
    )
