"""Answers: more labels or a better model? And how many labels until fine-tuning pays?"""

from __future__ import annotations

import math
from collections.abc import Sequence

from transferscore.ranking.pairs import Pair
from transferscore.strategies.curves import (
    FURTHEST,
    Crossing,
    Curve,
    curve_of,
    doubling_gain,
    labels_until_better,
)
from transferscore.strategies.option import PROBE
from transferscore.strategies.outlook import CurvePoint, Prediction
from transferscore.strategies.prospect import Setting, family_of, label_of

__all__ = ["answers_of"]


def answers_of(pairs: Sequence[Pair], setting: Setting) -> tuple[str, ...]:
    """Sentences that learning curves allow; none without curves.

    Args:
        pairs: In the order of the ranking.
        setting: Of the first model.
    """
    first = pairs[0]
    own = {pair.strategy: pair for pair in pairs if pair.entry is first.entry}
    tuned = [p for p in own.values() if family_of(p.strategy) == "fine-tune"]
    found = [_labels_or_model(first, pairs, setting)]
    if PROBE in own and tuned:
        best = max(tuned, key=lambda pair: pair.value)
        found.append(_until_better(best, own[PROBE], setting))
    return tuple(sentence for sentence in found if sentence)


def _labels_or_model(first: Pair, pairs: Sequence[Pair], setting: Setting) -> str:
    curve = _curve(first, setting)
    if curve is None:
        return ""
    gain, low, high = (_size(value, setting) for value in doubling_gain(curve))
    sentence = (
        f"More labels: twice as many are expected to add {gain} to {label_of(first.strategy)} "
        f"(90% interval {low} to {high})"
    )
    others = [pair for pair in pairs if pair.entry is not first.entry and not pair.breaks]
    if not others:
        return f"{sentence}."
    second = max(others, key=lambda pair: pair.value)
    gap = first.value - second.value
    worth = (
        "a choice between models is worth less"
        if doubling_gain(curve)[1] > gap
        else ("a choice between models is worth no less")
    )
    return (
        f"{sentence}; the best other model ({second.entry.model}, {second.strategy}) is "
        f"{_size(gap, setting).lstrip('+')} behind: {worth}."
    )


def _until_better(best: Pair, probe: Pair, setting: Setting) -> str:
    tuned, frozen = _curve(best, setting), _curve(probe, setting)
    if tuned is None or frozen is None:
        return ""
    name, crossing = label_of(best.strategy), labels_until_better(tuned, frozen)
    if math.isinf(crossing.n_samples):
        return (
            f"{name} is not expected to beat the probe with up to 16 times the "
            f"{setting.n_samples:,} labels{_at_best(crossing)}."
        )
    n, fewest = setting.n_samples, round(setting.n_samples / FURTHEST)
    if round(crossing.n_samples) <= fewest:
        is_sure = round(crossing.high) <= fewest
        at_worst = "" if is_sure else f" (90% interval: at most {_round(crossing.high)})"
        return (
            f"{name} is expected to beat the probe with a sixteenth of the {n:,} labels already"
            f"{at_worst}."
        )
    return (
        f"{name} is expected to beat the probe from about {_round(crossing.n_samples)} labels on "
        f"(90% interval {_round(crossing.low)} to {_round(crossing.high)}); there are {n:,}."
    )


def _curve(pair: Pair, setting: Setting) -> Curve | None:
    """The curve with the prediction for all labels as its last point."""
    if pair.option is None or not pair.option.outlook.learning_curve:
        return None
    now = CurvePoint(setting.n_samples, Prediction(pair.value, pair.low, pair.high))
    fewer = [p for p in pair.option.outlook.learning_curve if p.n_samples < setting.n_samples]
    return curve_of([*fewer, now])


def _at_best(crossing: Crossing) -> str:
    return "" if math.isinf(crossing.low) else f" (at best from {_round(crossing.low)} on)"


def _round(n_samples: float) -> str:
    """Two digits: more would say more than is known."""
    if math.isinf(n_samples):
        return "more than can be told"
    digits = max(0, math.floor(math.log10(max(1.0, n_samples))) - 1)
    return f"{round(n_samples, -digits):,.0f}"


def _size(value: float, setting: Setting) -> str:
    return f"{100 * value:+.1f} points" if setting.is_share else f"{value:+.3f}"
