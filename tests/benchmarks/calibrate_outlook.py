"""Predicted beside measured accuracy of every strategy, and the calibration that follows.

    python tests/benchmarks/calibrate_outlook.py

Reads measured_strategies.csv and strategy_evidence.csv. Every number printed is of a calibration
whose coefficients were fitted without the dataset that it is tried on; its form, and how long a
rehearsal lasts, were chosen with these datasets in view. Last come the coefficients fitted on all,
as `transferscore/strategies/calibration_table.py` has them.

In log odds, a strategy adds to the probe shares of the kernel's gain and of the rehearsal's; where
neither sees a gain there is none. The shares are fitted by least squares of errors in accuracy.
They are drawn towards one half each, and those of one strategy towards those of all ways of tuning,
so that a strategy of which little was measured behaves like the others. From scratch a model
reaches what full tuning reaches, less what it loses in any case and what goes with the frozen
features' share of the kernel. measured_sizes.csv says by which share of itself a gain grows with
every doubling of the rows that kernel and rehearsal saw.
"""

from __future__ import annotations

import itertools
import sys
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from scipy.optimize import least_squares

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.benchmarks.measured_sizes import measured_sizes
from tests.benchmarks.measured_strategies import TEXTS, measured
from tests.benchmarks.strategy_evidence import gathered
from transferscore.ranking.agreement import weighted_tau
from transferscore.strategies import STRATEGIES
from transferscore.strategies.calibration import UNSEEN_SPREAD, log_odds
from transferscore.strategies.rehearsal import Rehearsal

# A constant, and the weights of the kernel's gain, of the rehearsal's and of the frozen features'
# share of the kernel, before anything is seen. What is tuned has two of them, what is trained from
# scratch all four.
PRIOR = np.array([0.0, 0.5, 0.5, 0.0])
IS_FITTED = np.array([0.0, 1.0, 1.0, 0.0])
# How strongly errors in accuracy (about 0.03) are held against leaving the prior, and the common
# coefficients. What is lost from scratch is known to a few units of log odds only.
PULL, PULL_APART, PULL_LOST = 0.1, 0.2, 0.02
LEAST_SPREAD = 0.03  # so few datasets show no less
NINETY = 1.645
REPEATS = 300
REHEARSED = ("probe", "tuned", "frozen", "refitted")
TUNED = ("norm_tuning", "partial", "lora", "full")
FIXED = {"always linear_probe": "linear_probe", "always lora": "lora", "always full": "full"}


@dataclass(frozen=True)
class Pair:
    model: str
    dataset: str
    strategy: str
    accuracy: float
    n_test: int
    probe: float
    kernel: float
    gains: np.ndarray
    n: int
    doublings: float = 0.0

    @property
    def kind(self) -> str:
        return "text" if self.dataset in TEXTS else "image"

    @property
    def gained(self) -> float:
        return log_odds(self.accuracy, self.n) - log_odds(self.probe, self.n)


def pairs() -> list[Pair]:
    evidence = {(row["model"], row["dataset"], row["strategy"]): row for row in gathered()}
    found = []
    for row in measured():
        key = (row["model"], row["dataset"], row["strategy"])
        if row["accuracy"] and key in evidence:
            found.append(pair_of(row, evidence[key]))
    return found


def pair_of(row: dict[str, str], seen: dict[str, str]) -> Pair:
    n, probe, kernel = int(seen["n_rows"]), float(seen["probe"]), float(seen["kernel"])
    gains = [1.0, log_odds(kernel, n) - log_odds(probe, n), 0.0, 1.0 - float(seen["share"])]
    if seen["rehearsed_tuned"]:
        told = (float(seen[f"rehearsed_{name}"]) for name in REHEARSED)
        gains[2] = Rehearsal(*told, int(seen["n_rehearsed"])).gain
    return Pair(
        row["model"],
        row["dataset"],
        row["strategy"],
        float(row["accuracy"]),
        int(row["n_test"]),
        probe,
        kernel,
        np.array(gains),
        n,
    )


def without(some: list[Pair], pair: Pair) -> list[Pair]:
    """The pairs of other datasets."""
    return [other for other in some if other.dataset != pair.dataset]


def akin(some: list[Pair], like: Pair) -> list[Pair]:
    """Pairs that are calibrated together: ways of tuning one kind of data, or from scratch."""
    kind = [p for p in some if p.kind == like.kind]
    if like.strategy in TUNED:
        return [p for p in kind if p.strategy in TUNED]
    return [p for p in kind if p.strategy == like.strategy]


def fitted(some: list[Pair], like: Pair) -> np.ndarray:
    """Coefficients `(4,)` for a pair, from the runs of its kind among some."""
    if like.strategy == "linear_probe":
        return np.zeros(4)
    if like.strategy == "scratch":
        full = tuned_coefficients([p for p in some if p.kind == like.kind], "full")
        return full - lost_from_scratch(akin(some, like), full)
    return tuned_coefficients(akin(some, like), like.strategy)


def tuned_coefficients(own: list[Pair], strategy: str) -> np.ndarray:
    """Coefficients `(4,)` of a way of tuning, from the runs of all of them."""
    own = [p for p in own if p.strategy in TUNED]
    which = np.array([TUNED.index(p.strategy) for p in own], dtype=int)

    def errors(flat: np.ndarray) -> np.ndarray:
        common, apart = flat[:4], flat[4:].reshape(-1, 4)
        coefficients = (common + apart[which]) * IS_FITTED
        missed = [predicted(p, c) - p.accuracy for p, c in zip(own, coefficients, strict=True)]
        return np.concatenate([missed, PULL * (common - PRIOR), PULL_APART * flat[4:]])

    start = np.concatenate([PRIOR, np.zeros(4 * len(TUNED))])
    found = least_squares(errors, start).x
    return (found[:4] + found[4:].reshape(-1, 4)[TUNED.index(strategy)]) * IS_FITTED


def lost_from_scratch(own: list[Pair], full: np.ndarray) -> np.ndarray:
    """What full tuning's coefficients `(4,)` lose: never less than nothing."""

    def lost(values: np.ndarray) -> np.ndarray:
        return np.array([values[0], 0.0, 0.0, values[1]])

    def errors(values: np.ndarray) -> np.ndarray:
        missed = [predicted(p, full - lost(values)) - p.accuracy for p in own]
        return np.concatenate([missed, PULL_LOST * values])

    return lost(least_squares(errors, np.array([0.5, 0.5]), bounds=(0.0, np.inf)).x)


def predicted(pair: Pair, coefficients: np.ndarray, growth: float = 0.0) -> float:
    grown = 1.0 + growth * pair.doublings
    gains = pair.gains * np.array([1.0, grown, grown, 1.0])
    return 1.0 / (1.0 + np.exp(-log_odds(pair.probe, pair.n) - float(gains @ coefficients)))


def left_out(all_pairs: list[Pair]) -> dict[int, float]:
    """Every pair predicted by a calibration that has not seen its dataset."""
    return {id(pair): predicted(pair, fitted(without(all_pairs, pair), pair)) for pair in all_pairs}


def spread_of(strategy: str, own: list[Pair], answers: dict[int, float]) -> float:
    """Error beyond the chance of training and test rows, of a strategy among those akin to it.

    Runs of its own count for what they are, and the others together for as much as four of them.
    """
    beyond = np.array([beyond_chance(p, answers[id(p)]) for p in own])
    weights = np.array([1.0 * (p.strategy == strategy) + 4.0 / len(own) for p in own])
    return float(np.sqrt(max(weights @ beyond / weights.sum(), LEAST_SPREAD**2)))


def beyond_chance(pair: Pair, value: float) -> float:
    """Squared error less what the chance of rows explains."""
    return float((value - pair.accuracy) ** 2 - chance_of(pair))


def chance_of(pair: Pair) -> float:
    """Variance by the rows trained on and tested on."""
    return pair.accuracy * (1 - pair.accuracy) * (1 / pair.n + 1 / pair.n_test)


def covered(pair: Pair, value: float, spread: float) -> bool:
    """Whether the interval holds what 1000 test rows, themselves a sample, measured."""
    chance = value * (1 - value) * (1 / pair.n + 1 / pair.n_test)
    return abs(value - pair.accuracy) <= NINETY * np.sqrt(chance + spread**2)


def report(all_pairs: list[Pair]) -> None:
    answers = left_out(all_pairs)
    hits = []
    print(f"{'strategy':14}{'kind':8}{'pairs':>6}{'MAE':>8}{'kernel alone':>14}{'probe':>8}")
    for strategy, kind, own in grouped(all_pairs):
        print(f"{strategy:14}{kind:8}{len(own):6}" + errors_of(own, answers))
        for pair in own:
            if others := without(akin(all_pairs, pair), pair):
                hits.append(covered(pair, answers[id(pair)], spread_of(strategy, others, answers)))
    print(f"coverage of 90 % intervals: {np.mean(hits):.2f} of {len(hits)}")
    chance = np.mean([np.sqrt(2 / np.pi * chance_of(p)) for p in all_pairs])
    print(f"error by the chance of rows alone, on average: {100 * chance:.1f} points")
    tuned = [p for p in all_pairs if p.strategy in TUNED]
    worst = max(tuned, key=lambda p: abs(answers[id(p)] - p.accuracy))
    print(
        f"furthest off of what is tuned: {worst.strategy} of {worst.model} on {worst.dataset}, "
        f"{answers[id(worst)]:.2f} foreseen, {worst.accuracy:.2f} reached"
    )
    report_choices(all_pairs, answers)


def grouped(all_pairs: list[Pair]) -> Iterator[tuple[str, str, list[Pair]]]:
    """Strategy, kind of data, and their pairs."""
    for kind, strategy in itertools.product(("image", "text"), STRATEGIES):
        if own := [p for p in all_pairs if (p.strategy, p.kind) == (strategy, kind)]:
            yield strategy, kind, own


def errors_of(own: list[Pair], answers: dict[int, float]) -> str:
    accuracy = np.array([p.accuracy for p in own])
    ours = np.array([answers[id(p)] for p in own])
    kernel, probe = (np.array([getattr(p, key) for p in own]) for key in ("kernel", "probe"))
    mae = [100 * np.mean(np.abs(values - accuracy)) for values in (ours, kernel, probe)]
    return f"{mae[0]:8.1f}{mae[1]:14.1f}{mae[2]:8.1f}"


def report_choices(all_pairs: list[Pair], answers: dict[int, float]) -> None:
    groups = defaultdict(list)
    for pair in all_pairs:
        groups[pair.dataset].append(pair)
    taus, regrets, fixed = defaultdict(list), [], defaultdict(list)
    for name, own in sorted(groups.items()):
        accuracy = np.array([p.accuracy for p in own])
        ours = np.array([answers[id(p)] for p in own])
        tau = weighted_tau(ours, accuracy)
        taus[own[0].kind].append(tau)
        regrets.append(accuracy.max() - accuracy[ours.argmax()])
        for title, strategy in FIXED.items():
            rows = [p.accuracy for p in own if p.strategy == strategy]
            if rows:
                fixed[title].append(accuracy.max() - max(rows))
        print(f"{name}: {len(own)} pairs, tau {tau:.2f}, regret {100 * regrets[-1]:.1f}")
    for kind, of_kind in taus.items():
        print(f"weighted tau of {kind} data {np.mean(of_kind):.2f}")
    every = [tau for of_kind in taus.values() for tau in of_kind]
    print(f"weighted tau {np.mean(every):.2f}, regret {100 * np.mean(regrets):.1f} points")
    print(f"weighted tau of a second measurement, by chance: {tau_of_a_repeat(groups):.2f}")
    for title, values in fixed.items():
        print(f"{title}: regret {100 * np.mean(values):.1f} points on {len(values)} datasets")


def tau_of_a_repeat(groups: dict[str, list[Pair]]) -> float:
    """Weighted tau of the measured values and the same off by the chance of rows, on average.

    The chance of the rows trained and tested on is taken to be another for every pair; pairs share
    rows, so the truth lies somewhat higher.
    """
    rng, taus = np.random.default_rng(0), []
    for own in groups.values():
        accuracy = np.array([p.accuracy for p in own])
        deviation = np.sqrt([chance_of(p) for p in own])
        taus += [weighted_tau(rng.normal(accuracy, deviation), accuracy) for _ in range(REPEATS)]
    return float(np.mean(taus))


def pairs_of_sizes() -> list[Pair]:
    """Runs with other numbers of rows."""
    found = []
    for row in measured_sizes():
        n, n_seen = int(row["n_rows"]), int(row["n_seen"])
        kernel, rehearsal = float(row["kernel_gain"]), float(row["rehearsal_gain"])
        gains = np.array([1.0, kernel, rehearsal, float(row["frozen_share"])])
        names = (row["model"], row["dataset"], row["strategy"])
        measured_there = (float(row["accuracy"]), int(row["n_test"]), float(row["probe"]))
        found.append(Pair(*names, *measured_there, np.nan, gains, n, np.log2(n / n_seen)))
    return found


def key_of(pair: Pair) -> tuple[str, str, str]:
    return pair.model, pair.dataset, pair.strategy


def growths(some: list[Pair], weights: dict[tuple[str, str, str], np.ndarray]) -> dict[str, float]:
    """By strategy, the share of itself by which a gain grows with every doubling of the rows.

    Gains are added to what the probe reached, so that its error does not count; before anything is
    seen they do not grow.
    """
    probes = {(p.model, p.dataset, p.n): p.accuracy for p in some if p.strategy == "linear_probe"}
    own = [
        replace(p, probe=probes[p.model, p.dataset, p.n])
        for p in some
        if p.strategy in TUNED and p.doublings
    ]
    coefficients = [weights[key_of(p)] for p in own]
    which = np.array([TUNED.index(p.strategy) for p in own], dtype=int)

    def errors(flat: np.ndarray) -> np.ndarray:
        growth = (flat[0] + flat[1:])[which]
        missed = [
            predicted(p, c, g) - p.accuracy
            for p, c, g in zip(own, coefficients, growth, strict=True)
        ]
        return np.concatenate([missed, PULL * flat[:1], PULL_APART * flat[1:]])

    found = least_squares(errors, np.zeros(1 + len(TUNED))).x
    return dict(zip(TUNED, found[0] + found[1:], strict=True)) | {"linear_probe": 0.0}


def report_sizes(all_pairs: list[Pair]) -> None:
    """Errors with other numbers of rows; gains and their growth are fitted on other datasets."""
    sizes = pairs_of_sizes()
    weights = {key_of(p): fitted(without(all_pairs, p), p) for p in sizes}
    missed, hits = defaultdict(list), []
    for pair in sizes:
        growth = growths(without(sizes, pair), weights)[pair.strategy]
        value = predicted(pair, weights[key_of(pair)], growth)
        unseen = UNSEEN_SPREAD * pair.doublings if pair.strategy in TUNED else 0.0
        hits.append(covered(pair, value, np.hypot(LEAST_SPREAD, unseen)))
        same = predicted(pair, weights[key_of(pair)])
        missed[pair.n, pair.strategy].append(
            [abs(value - pair.accuracy), abs(same - pair.accuracy), abs(pair.probe - pair.accuracy)]
        )
    print(f"{'rows':>6} {'strategy':14}{'pairs':>6}{'MAE':>8}{'no growth':>14}{'probe':>8}")
    for (n, strategy), errors in sorted(missed.items()):
        mae = 100 * np.mean(errors, axis=0)
        print(f"{n:6} {strategy:14}{len(errors):6}{mae[0]:8.1f}{mae[1]:14.1f}{mae[2]:8.1f}")
    print(f"coverage of 90 % intervals: {np.mean(hits):.2f} of {len(hits)}")


def print_table(all_pairs: list[Pair]) -> None:
    answers, sizes = left_out(all_pairs), pairs_of_sizes()
    growth = growths(sizes, {key_of(p): fitted(all_pairs, p) for p in sizes})
    growth["scratch"] = growth["full"]
    for strategy, kind, own in grouped(all_pairs):
        numbers = [*fitted(all_pairs, own[0]), growth[strategy]]
        coefficients = ", ".join(f"{value:.2f}" for value in numbers)
        spread = spread_of(strategy, akin(all_pairs, own[0]), answers)
        print(f'{kind} "{strategy}": Calibration({coefficients}, {spread:.3f}),  # {len(own)} runs')


if __name__ == "__main__":
    everything = pairs()
    report(everything)
    report_sizes(everything)
    print_table(everything)
