"""What fine-tuning adds to a probe in ../shared/tables, as `strategies/published.py` has it.

    python tests/benchmarks/calibrate_published.py

Lines in log odds, by the head-only accuracy and by NCE / ln K, and their errors on datasets left
out of the fit. Runs that the tables mark as IMPOSSIBLE or SUSPECT are left out. What few labels
bring is told by measured_strategies.csv, with NCE of the same networks' ONNX files.
"""

from __future__ import annotations

import csv
import gzip
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.stats import spearmanr, t

sys.path.insert(0, str(Path(__file__).parent))
import measured_strategies as own

TABLES = Path(__file__).parents[3] / "shared" / "tables"
# Classes of the datasets that were scored.
CLASSES = {
    "aircraft": 100,
    "caltech101": 101,
    "cars": 196,
    "cifar10": 10,
    "cifar100": 100,
    "dtd": 47,
    "pets": 37,
}
ONNX = {
    "resnet20_cifar10": "resnet20_cifar10",
    "resnet44_cifar10": "resnet44_cifar10",
    "mobilenet_v1_0.25_128": "mobilenet_v1_0.25_128_imagenet",
    "mobilenet_v1_0.5_160": "mobilenet_v1_0.5_160_imagenet",
}
Key = tuple[str, str]


Form = Callable[["Runs", "Runs"], np.ndarray]


@dataclass(frozen=True)
class Runs:
    """Aligned columns `(n,)` of the same (dataset, model) pairs."""

    names: np.ndarray
    start: np.ndarray
    reached: np.ndarray
    known: tuple[np.ndarray, ...] = ()

    def take(self, rows: np.ndarray) -> Runs:
        known = tuple(column[rows] for column in self.known)
        return Runs(self.names[rows], self.start[rows], self.reached[rows], known)


def records(source: str, strategy: str) -> dict[Key, float]:
    """(dataset, model) to the best published value; of pooled text encoders, the mean's."""
    best: dict[Key, float] = {}
    with gzip.open(TABLES / "finetune_records.csv.gz", "rt") as file:
        for row in csv.DictReader(file):
            if (row["source"], row["strategy"]) != (source, strategy):
                continue
            if source == "G11" and "mean" not in row["notes"]:
                continue
            key = (row["dataset"], row["model"])
            if "IMPOSSIBLE" in row["notes"] or "SUSPECT" in row["notes"]:
                continue
            best[key] = max(best.get(key, 0.0), float(row["value"]))
    return best


def nce_shares() -> dict[Key, float]:
    """(dataset, model) to the published NCE / ln K, which lies in [-1, 0] but for rounding."""
    with (TABLES / "scores.csv").open() as file:
        rows = [r for r in csv.DictReader(file) if (r["source"], r["score_name"]) == ("G4", "NCE")]
    values = {(r["dataset"], r["model"]): float(r["value"]) for r in rows}
    return {
        key: value / np.log(CLASSES[key[0]]) for key, value in values.items() if key[0] in CLASSES
    }


def runs_of(start: dict[Key, float], reached: dict[Key, float], *known: dict[Key, float]) -> Runs:
    keys = sorted(set(start) & set(reached).intersection(*known))
    names = np.array([name for name, _ in keys])
    first, last, *more = (
        np.array([values[key] for key in keys]) for values in (start, reached, *known)
    )
    return Runs(names, first, last, tuple(more))


def odds(accuracy: np.ndarray) -> np.ndarray:
    inside = np.clip(accuracy, 0.002, 0.998)
    return np.log(inside / (1 - inside))


def raise_by(start: np.ndarray, gain: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-odds(start) - gain))


def line(runs: Runs, by: np.ndarray | None) -> np.ndarray:
    """Constant and slope of the gain in log odds; the mean gain where `by` is None."""
    gained = odds(runs.reached) - odds(runs.start)
    if by is None:
        return np.array([gained.mean(), 0.0])
    return np.linalg.lstsq(np.stack([np.ones(len(by)), by], axis=1), gained, rcond=None)[0]


def at(fitted: np.ndarray, by: np.ndarray) -> np.ndarray:
    return np.maximum(fitted[0] + fitted[1] * by, 0.0)


def by_constant(fit: Runs, held: Runs) -> np.ndarray:
    return raise_by(held.start, line(fit, None)[0] * np.ones(len(held.start)))


def by_points(fit: Runs, held: Runs) -> np.ndarray:
    return held.start + (fit.reached - fit.start).mean()


def by_probe(fit: Runs, held: Runs) -> np.ndarray:
    return raise_by(held.start, at(line(fit, odds(fit.start)), odds(held.start)))


def of_nce(fit: Runs, held: Runs) -> np.ndarray:
    return at(line(fit, fit.known[0]), held.known[0])


def by_nce(fit: Runs, held: Runs) -> np.ndarray:
    return raise_by(held.start, of_nce(fit, held))


def left_out(runs: Runs, predict: Form) -> np.ndarray:
    """Errors of each dataset, predicted by the others."""
    errors = np.empty(len(runs.names))
    for name in set(runs.names):
        held = runs.names == name
        errors[held] = predict(runs.take(~held), runs.take(held)) - runs.reached[held]
    return errors


def spread_of(errors: np.ndarray, names: np.ndarray, n_fitted: int) -> float:
    """Root mean square, widened where datasets are few for the fit: Student's t over the normal."""
    freedom = len(set(names)) - n_fitted
    return float(np.sqrt(np.mean(errors**2)) * t.ppf(0.95, freedom) / 1.645)


def coverage(errors: np.ndarray, names: np.ndarray, n_fitted: int) -> float:
    """Share within 90 % intervals as wide as the errors on the other datasets ask for."""
    inside = np.empty(len(errors))
    for name in set(names):
        held = names == name
        inside[held] = np.abs(errors[held]) <= 1.645 * spread_of(
            errors[~held], names[~held], n_fitted
        )
    return float(inside.mean())


LINES = (by_probe, by_nce)


def tell(what: str, runs: Runs, form: Form) -> None:
    errors, n_fitted = left_out(runs, form), 2 if form in LINES else 1
    gains = runs.reached - runs.start
    order = spearmanr(errors + gains, gains)[0]
    print(
        f"  {what:18} off by {100 * np.abs(errors).mean():4.1f} points, rank correlation of gains "
        f"{order:5.2f}, in 90% interval {coverage(errors, runs.names, n_fitted):4.0%}, "
        f"spread {spread_of(errors, runs.names, n_fitted):.3f}"
    )


def tell_all(title: str, runs: Runs, **forms: Form) -> None:
    unchanged = 100 * np.abs(runs.reached - runs.start).mean()
    print(f"{title}: {len(runs.names)} pairs, {len(set(runs.names))} datasets")
    print(f"  {'no change':18} off by {unchanged:4.1f} points")
    for what, form in forms.items():
        tell(what.replace("_", " "), runs, form)


def own_runs() -> Runs:
    """Ours of few rows, with NCE / ln K of the same networks."""
    values = {
        (row["dataset"], row["model"], row["strategy"]): float(row["accuracy"])
        for row in own.measured()
        if row["accuracy"] and row["model"] in ONNX
    }
    full = {(d, m): value for (d, m, strategy), value in values.items() if strategy == "full"}
    probe = {(d, m): values[d, m, "linear_probe"] for d, m in full}
    return runs_of(probe, full, {key: own_nce(*key) for key in full})


def own_nce(name: str, model: str) -> float:
    import transferscore
    from transferscore.encoders import resolve_models
    from transferscore.features import extract_features

    whole = own.open_dataset(name)
    dataset = own.compact(whole, own.split_rows(whole)[0])
    (encoder,) = resolve_models([f"onnx:{own.ZOO}/models/image/{ONNX[model]}.onnx"], device="cpu")
    features = extract_features(encoder, dataset)
    found = transferscore.score(
        features.values, dataset.labels, "nce", source_logits=features.logits
    )
    return float(found["nce"] / np.log(dataset.n_classes))


def few_labels(published: Runs, ours: Runs) -> None:
    """The share of published gains that few labels bring, and errors on datasets left out."""

    def share(fit: Runs) -> float:
        told = of_nce(published, fit)
        return float(told @ (odds(fit.reached) - odds(fit.start)) / (told @ told))

    def shared(fit: Runs, held: Runs) -> np.ndarray:
        return raise_by(held.start, share(fit) * of_nce(published, held))

    def unshared(_: Runs, held: Runs) -> np.ndarray:
        return by_nce(published, held)

    title = f"our runs of {own.N_TRAIN} rows"
    tell_all(title, ours, as_published=unshared, a_share_of_it=shared)
    print(f"  share {share(ours):.2f}")


MEANS = {"mean in points": by_points, "mean in log odds": by_constant}


def images() -> None:
    probe, full = records("G5", "head"), records("G5", "full")
    runs = runs_of(probe, full)
    tell_all("images (G5)", runs, **MEANS, probe=by_probe)
    print("  probe: constant {:.2f}, slope {:.2f}".format(*line(runs, odds(runs.start))))
    scored = runs_of(probe, full, nce_shares())
    tell_all("images (G5, NCE of G4)", scored, **MEANS, probe=by_probe, NCE=by_nce)
    print("  NCE: constant {:.2f}, slope {:.2f}".format(*line(scored, scored.known[0])))
    order = spearmanr(scored.known[0], scored.reached - scored.start)[0]
    print(f"  rank correlation of NCE / ln K and the gain in points {order:.2f}")
    few_labels(scored, own_runs())


def texts() -> None:
    pairs = {
        "full from probe, text (G11)": ("G11", "head", "full"),
        "LoRA from full, text (G7)": ("G7", "full", "lora"),
    }
    for title, (source, before, after) in pairs.items():
        runs = runs_of(records(source, before), records(source, after))
        tell_all(title, runs, **MEANS)
        print(f"  mean in log odds {line(runs, None)[0]:.2f}")


if __name__ == "__main__":
    images()
    texts()
