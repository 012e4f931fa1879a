"""Predicted beside measured accuracy of every strategy, and the calibration that follows.

    python tests/benchmarks/calibrate_outlook.py

Reads measured_strategies.csv and strategy_evidence.csv. Every number printed is of a calibration
whose form and coefficients were chosen without the dataset that it is tried on. Last come the
coefficients fitted on all, as `transferscore/strategies/calibration_table.py` has them.

The form of each strategy is the one with the least error when, of the datasets that may be seen,
each is left out in turn: the kernel's gain alone, the rehearsal's alone, or a constant and weights
of both, drawn from the kernel's to the runs by ridge regression. The first wins a tie. A way of
tuning that was measured on one dataset shares form and spread with the others.
"""

from __future__ import annotations

import itertools
import sys
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.benchmarks.measured_strategies import TEXTS, measured
from tests.benchmarks.strategy_evidence import gathered
from transferscore.ranking.agreement import weighted_tau
from transferscore.strategies import STRATEGIES
from transferscore.strategies.calibration import log_odds

# Coefficients of a constant, the kernel's gain and the rehearsal's.
KERNEL = np.array([0.0, 1.0, 0.0])
REHEARSAL = np.array([0.0, 0.0, 1.0])
STRENGTH = 2.0
NINETY = 1.645
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
    gains = [1.0, log_odds(kernel, n) - log_odds(probe, n), 0.0]
    if seen["half_tuned"] and row["strategy"] != "scratch":
        gains[2] = log_odds(float(seen["half_tuned"]), n) - log_odds(float(seen["half_probe"]), n)
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


def drawn(own: list[Pair]) -> np.ndarray:
    """Ridge regression towards the kernel's gain as it is."""
    if not own:
        return KERNEL
    gains, gained = np.array([p.gains for p in own]), np.array([p.gained for p in own])
    ridge = gains.T @ gains + STRENGTH * np.eye(3)
    return KERNEL + np.linalg.solve(ridge, gains.T @ (gained - gains @ KERNEL))


FORMS: dict[str, Callable[[list[Pair]], np.ndarray]] = {
    "kernel": lambda _: KERNEL,
    "rehearsal": lambda _: REHEARSAL,
    "drawn": drawn,
}


def chosen(own: list[Pair]) -> str:
    """The form that errs least on datasets that it has not seen."""
    if not own:
        return "kernel"
    errors = {form: round(float(np.mean(left_out_errors(own, form))), 9) for form in FORMS}
    return min(errors, key=lambda form: errors[form])


def left_out_errors(own: list[Pair], form: str) -> list[float]:
    return [abs(predicted(pair, FORMS[form](without(own, pair))) - pair.accuracy) for pair in own]


def without(some: list[Pair], pair: Pair) -> list[Pair]:
    """The pairs of other datasets."""
    return [other for other in some if other.dataset != pair.dataset]


def fitted(some: list[Pair], like: Pair) -> np.ndarray:
    """Coefficients for a pair."""
    own = akin(some, like)
    return FORMS[chosen(own)](own)


def akin(some: list[Pair], like: Pair) -> list[Pair]:
    """Pairs of its strategy and kind of data; of one dataset alone, all ways of tuning."""
    kind = [p for p in some if p.kind == like.kind]
    own = [p for p in kind if p.strategy == like.strategy]
    if len({p.dataset for p in own}) < 2 and like.strategy in TUNED:
        return [p for p in kind if p.strategy in TUNED]
    return own


def predicted(pair: Pair, coefficients: np.ndarray) -> float:
    odds = log_odds(pair.probe, pair.n) + float(pair.gains @ coefficients)
    return 1.0 / (1.0 + np.exp(-odds))


def left_out(all_pairs: list[Pair]) -> dict[int, float]:
    """Every pair predicted by a calibration that has not seen its dataset."""
    return {id(pair): predicted(pair, fitted(without(all_pairs, pair), pair)) for pair in all_pairs}


def spread_of(own: list[Pair], answers: dict[int, float]) -> float:
    """Error beyond the chance of training and test rows; so few datasets show no less than 3 %."""
    errors = np.array([answers[id(p)] - p.accuracy for p in own])
    chance = np.array([p.accuracy * (1 - p.accuracy) * (1 / p.n + 1 / p.n_test) for p in own])
    return float(np.sqrt(max(np.mean(errors**2 - chance), 0.03**2)))


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
                hits.append(covered(pair, answers[id(pair)], spread_of(others, answers)))
    print(f"coverage of 90 % intervals: {np.mean(hits):.2f} of {len(hits)}")
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
    taus, regrets, fixed = [], [], defaultdict(list)
    for name, own in sorted(groups.items()):
        accuracy = np.array([p.accuracy for p in own])
        ours = np.array([answers[id(p)] for p in own])
        taus.append(weighted_tau(ours, accuracy))
        regrets.append(accuracy.max() - accuracy[ours.argmax()])
        for title, strategy in FIXED.items():
            rows = [p.accuracy for p in own if p.strategy == strategy]
            if rows:
                fixed[title].append(accuracy.max() - max(rows))
        print(f"{name}: {len(own)} pairs, tau {taus[-1]:.2f}, regret {100 * regrets[-1]:.1f}")
    print(f"weighted tau {np.mean(taus):.2f}, regret {100 * np.mean(regrets):.1f} points")
    for title, values in fixed.items():
        print(f"{title}: regret {100 * np.mean(values):.1f} points on {len(values)} datasets")


def print_table(all_pairs: list[Pair]) -> None:
    answers = left_out(all_pairs)
    for strategy, kind, own in grouped(all_pairs):
        constant, kernel, rehearsal = fitted(all_pairs, own[0])
        spread = spread_of(akin(all_pairs, own[0]), answers)
        print(
            f'{kind} "{strategy}": Calibration({constant:.2f}, {kernel:.2f}, {rehearsal:.2f}, '
            f"{spread:.3f}),  # {chosen(akin(all_pairs, own[0]))}, {len(own)} runs"
        )


if __name__ == "__main__":
    everything = pairs()
    report(everything)
    print_table(everything)
