"""Pairs of a model and a strategy: what each reaches and costs, and how sure their order is."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from transferscore.datasets import Dataset
from transferscore.ranking.evaluated import Evaluated
from transferscore.ranking.priors import Prior
from transferscore.ranking.uncertainty import (
    QUANTILE,
    Comparison,
    comparison_of,
    draw_values,
    interval,
)
from transferscore.strategies.cost import Cost, cost_of
from transferscore.strategies.limits import Limits
from transferscore.strategies.option import PROBE, Option
from transferscore.strategies.pareto import pareto_front
from transferscore.strategies.prospect import Prospect
from transferscore.strategies.published import PUBLISHED_BASIS
from transferscore.strategies.recipe import Recipe, recipe_of, schedule_of

__all__ = ["Pair", "compare_pairs", "front_of", "ordered_pairs", "pairs_of", "prospects_of"]

# What two strategies of one model do not share of their errors is at least so much of the error.
_LEAST_OWN_SHARE = 0.25
_PUBLISHED_NOTE = (
    "told from published runs of other models, as this one has no gradients here: try its "
    "trainable weights for a closer look"
)


@dataclass(frozen=True, slots=True)
class Pair:
    """One model adapted one way.

    Attributes:
        entry: The model.
        strategy: Name of the strategy.
        value: Expected metric.
        low: Lower end of its 90 % interval.
        high: Upper end.
        probe_spread: Standard deviation of the probe of the same model about its prediction.
        is_share: Whether the metric is a share of rows.
        option: The strategy; None where only the probe is of interest.
        recipe: How to train; None without an option.
        cost: What that takes; None where the model cannot be looked into.
        measured: The earlier result that the prediction rests on; None for none.
    """

    entry: Evaluated
    strategy: str
    value: float
    low: float
    high: float
    probe_spread: float
    is_share: bool
    option: Option | None = None
    recipe: Recipe | None = None
    cost: Cost | None = None
    measured: Prior | None = None

    @property
    def breaks(self) -> bool:
        """Whether it is known to break a limit."""
        return self.cost is not None and self.cost.fits is False

    @property
    def shared_scale(self) -> float:
        """How much the model's sample moves it, against how much that moves the probe.

        The same rows are drawn for both, but an accuracy near 1 varies less than one in the middle.
        """
        probe = self.entry.evaluation.value
        if self.strategy == PROBE or not self.is_share or not 0.0 < probe < 1.0:
            return 1.0
        own = max(self.value * (1.0 - self.value), 0.0)
        return min(1.0, math.sqrt(own / (probe * (1.0 - probe))))

    @property
    def own_spread(self) -> float:
        """Standard deviation of the part of its error that the probe does not have."""
        if self.strategy == PROBE:
            return 0.0
        spread = _spread(self.low, self.high)
        own = spread**2 - (self.shared_scale * self.probe_spread) ** 2
        return math.sqrt(max(own, (_LEAST_OWN_SHARE * spread) ** 2))

    @property
    def gain_spread(self) -> float:
        """Standard deviation of its gain over the probe of the same model."""
        return math.hypot(self.own_spread, (1.0 - self.shared_scale) * self.probe_spread)


def pairs_of(entry: Evaluated, dataset: Dataset, limits: Limits) -> list[Pair]:
    """The pairs of a model that are available: the probe alone, or one a strategy.

    The probe's prediction is the ranking's own, from all rows.
    """
    is_share = dataset.task.metric == "accuracy" and dataset.groups is None
    low, high = interval(entry.evaluation, is_share_of_rows=is_share)
    spread = _spread(low, high)
    probe = Pair(entry, PROBE, entry.evaluation.value, low, high, spread, is_share)
    if not entry.options:
        return [probe]
    pairs = []
    for option in entry.options:
        pair, expected = probe, option.outlook.predicted
        if not option.is_available:
            continue
        if expected is not None and option.strategy != PROBE:
            numbers = (expected.value, expected.low, expected.high)
            pair = Pair(entry, option.strategy, *numbers, spread, is_share)
        pairs.append(_priced(pair, option, dataset, limits))
    return pairs


def ordered_pairs(pairs: Sequence[Pair]) -> list[Pair]:
    """Those that keep to the limits first, each part by expected metric.

    A name breaks exact ties, so that the order never depends on the order of the models given.
    """
    return sorted(pairs, key=lambda p: (p.breaks, -p.value, p.entry.model, p.strategy))


def compare_pairs(pairs: Sequence[Pair], seed: int) -> Comparison:
    """How pairs, in order, compare when the sample is drawn again.

    Rows are drawn together for all models, and a model's strategies share its draws: what differs
    between them is the gain over the probe, which has a spread of its own. Pairs that break a limit
    are no rivals of those that do not.
    """
    entries = list({id(pair.entry): pair.entry for pair in pairs}.values())
    base = draw_values([entry.evaluation for entry in entries], seed)
    column = {id(entry): i for i, entry in enumerate(entries)}
    rng = np.random.default_rng([seed, 1])
    values = np.stack(
        [_drawn(pair, base[:, column[id(pair.entry)]], rng) for pair in pairs], axis=1
    )
    n_fitting = sum(not pair.breaks for pair in pairs) or len(pairs)
    return comparison_of(values, n_fitting)


def front_of(pairs: Sequence[Pair]) -> NDArray[np.bool_]:
    """`(m,)` which pairs are on the Pareto front of expected metric, time and memory."""
    costs = [
        (math.nan, math.nan)
        if pair.cost is None
        else (_known(pair.cost.train_seconds), _known(pair.cost.train_memory_bytes))
        for pair in pairs
    ]
    return pareto_front([pair.value for pair in pairs], np.reshape(costs, (len(pairs), 2)))


def prospects_of(pairs: Sequence[Pair]) -> dict[str, Prospect]:
    """The pairs of one model by strategy, in the numbers that reasons are made of."""
    return {pair.strategy: _prospect(pair) for pair in pairs}


def _priced(pair: Pair, option: Option, dataset: Dataset, limits: Limits) -> Pair:
    recipe = recipe_of(pair.strategy, option.about)
    schedule = schedule_of(recipe, len(dataset))
    cost = None if option.step is None else cost_of(option.step, schedule, limits)
    return replace(pair, option=option, recipe=recipe, cost=cost)


def _drawn(pair: Pair, base: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.float64]:
    if pair.strategy == PROBE:
        return base
    shared = pair.shared_scale * (base - pair.entry.evaluation.value)
    own = rng.normal(pair.value, pair.own_spread, size=len(base))
    drawn: NDArray[np.float64] = shared + own
    return drawn


def _prospect(pair: Pair) -> Prospect:
    step, cost = pair.option and pair.option.step, pair.cost
    return Prospect(
        pair.strategy,
        pair.value,
        0.0 if pair.strategy == PROBE else pair.value - pair.entry.evaluation.value,
        QUANTILE * pair.gain_spread,
        step.n_trainable if step else None,
        step.n_parameters if step else None,
        cost.train_seconds if cost else None,
        cost.train_memory_bytes if cost else None,
        cost.breaks if cost else (),
        _PUBLISHED_NOTE if pair.option and pair.option.outlook.basis == PUBLISHED_BASIS else "",
    )


def _spread(low: float, high: float) -> float:
    """Standard deviation of which the two ends are the 90 % interval."""
    return (high - low) / (2.0 * QUANTILE)


def _known(value: float | None) -> float:
    return math.nan if value is None else float(value)
