"""What full fine-tuning adds to a probe in ../shared/tables, as `strategies/published.py` has it.

    python tests/benchmarks/calibrate_published.py

A line in log odds of the head-only accuracy, and its error on datasets left out of the fit.
"""

from __future__ import annotations

import csv
import gzip
from pathlib import Path

import numpy as np

TABLE = Path(__file__).parents[3] / "shared" / "tables" / "finetune_records.csv.gz"


def records(source: str, strategy: str) -> dict[tuple[str, str], float]:
    """(dataset, model) to the best published value; of pooled text encoders, the mean's."""
    best: dict[tuple[str, str], float] = {}
    with gzip.open(TABLE, "rt") as file:
        for row in csv.DictReader(file):
            if (row["source"], row["strategy"]) != (source, strategy):
                continue
            if source == "G11" and "mean" not in row["notes"]:
                continue
            key = (row["dataset"], row["model"])
            best[key] = max(best.get(key, 0.0), float(row["value"]))
    return best


def odds(accuracy: np.ndarray) -> np.ndarray:
    inside = np.clip(accuracy, 0.002, 0.998)
    return np.log(inside / (1 - inside))


def fit(head: np.ndarray, full: np.ndarray, *, line: bool) -> np.ndarray:
    gained = odds(full) - odds(head)
    if not line:
        return np.array([gained.mean(), 0.0])
    design = np.stack([np.ones(len(head)), odds(head)], axis=1)
    return np.linalg.lstsq(design, gained, rcond=None)[0]


def report(source: str) -> None:
    head, full = records(source, "head"), records(source, "full")
    keys = sorted(set(head) & set(full))
    names = np.array([name for name, _ in keys])
    probes, tuned = (np.array([values[key] for key in keys]) for values in (head, full))
    print(f"{source}: {len(keys)} pairs, no gain off by {100 * np.abs(tuned - probes).mean():.1f}")
    for line in (True, False):
        errors = np.empty(len(keys))
        for name in set(names):
            held = names == name
            constant, slope = fit(probes[~held], tuned[~held], line=line)
            raised = odds(probes[held]) + constant + slope * odds(probes[held])
            errors[held] = 1 / (1 + np.exp(-raised)) - tuned[held]
        constant, slope = fit(probes, tuned, line=line)
        kind = "line" if line else "mean"
        print(
            f"  {kind}: constant {constant:.2f}, slope {slope:.2f}; left out: "
            f"off by {100 * np.abs(errors).mean():.1f}, rms {np.sqrt(np.mean(errors**2)):.3f}"
        )


if __name__ == "__main__":
    report("G5")
    report("G11")
