"""Makes measured_sizes.csv: evidence beside measured runs with more and with fewer labels.

    python tests/benchmarks/measured_sizes.py [--table FILE] [MODEL/DATASET/ROWS ...]

As `measured_strategies.py` and `strategy_evidence.py` do it with 500 labels; the rows are drawn by
another seed, and up to 1000 others are tested on. `digits` are scikit-learn's.
`calibrate_outlook.py` reads the table: how gains grow with labels, of which gradients and
rehearsals saw 512 at most, and how far off fewer labels are.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.benchmarks.measured_strategies import (
    SEED,
    compact,
    open_dataset,
    open_model,
    plan_for,
)
from tests.benchmarks.tables import add_row, rows_of
from transferscore.datasets import Dataset, dataset_from_arrays, sample_dataset
from transferscore.encoders import Encoder
from transferscore.features import extract_features
from transferscore.statistics import Statistics
from transferscore.strategies import STRATEGIES, Strategy
from transferscore.strategies.calibration import log_odds
from transferscore.strategies.evidence import gather_evidence
from transferscore.strategies.training import train_strategy

TABLE = Path(__file__).with_suffix(".csv")
N_SEEN, N_TEST, DRAW = 512, 1000, 1
# Those that a convolutional network, or one with linear layers, can take, and the probe.
CONVOLUTIONAL = ("linear_probe", "norm_tuning", "partial", "full")
LINEAR = ("linear_probe", "norm_tuning", "lora", "full")
JOBS = [
    "resnet20_cifar10/trashnet/1000",
    "resnet20_cifar10/brain_tumor_mri/1000",
    "resnet20_cifar10/sign_language_digits/1000",
    "resnet20_cifar10/flowers5/1000",
    "mobilenet_v1_0.25_128/trashnet/1000",
    "mobilenet_v1_0.25_128/brain_tumor_mri/1000",
    "minilm/trec6/1000",
    "resnet20_cifar10/digits/500",
    "resnet20_cifar10/flowers5/150",
    "mobilenet_v1_0.25_128/sign_language_digits/150",
]
COLUMNS = [
    *["model", "dataset", "n_rows", "n_seen", "n_test", "strategy", "probe", "kernel_gain"],
    *["rehearsal_gain", "frozen_share", "accuracy"],
]


def measured_sizes(table: Path = TABLE) -> list[dict[str, str]]:
    return rows_of(table)


def measure(job: str, table: Path) -> None:
    model, name, n_rows = job.split("/")
    done = {
        tuple(row[key] for key in ("model", "dataset", "n_rows")) for row in measured_sizes(table)
    }
    if (model, name, n_rows) in done:
        return
    encoder, whole, n = open_model(model), opened(name), int(n_rows)
    order = np.random.default_rng(DRAW).permutation(len(whole))[: n + N_TEST]
    both = replace(compact(whole, order), rows=np.arange(len(order)))
    here, there = np.arange(n), np.arange(n, len(order))
    names = CONVOLUTIONAL if model.startswith("resnet") else LINEAR
    strategies = [STRATEGIES[name] for name in names]
    for row in evidence_of(encoder, compact(both, here), strategies):
        strategy = STRATEGIES[str(row["strategy"])]
        plan = plan_for(model, strategy.name)
        result = train_strategy(encoder, strategy, both, here, there, plan=plan, seed=SEED)
        accuracy = f"{result.metrics['accuracy']:.4f}"
        job_of = {"model": model, "dataset": name, "n_rows": n, "n_test": len(there)}
        add_row(table, COLUMNS, {**job_of, **row, "accuracy": accuracy})


def opened(name: str) -> Dataset:
    """A dataset of the zoo, or scikit-learn's digits as images of 32 x 32 pixels."""
    if name != "digits":
        return open_dataset(name)
    from PIL import Image
    from sklearn.datasets import load_digits

    found = load_digits()
    pixels = [np.uint8(image * (255 / 16)) for image in found.images]
    images = [Image.fromarray(each).resize((32, 32)).convert("RGB") for each in pixels]
    return dataset_from_arrays(images, found.target, task="classification")


def evidence_of(
    encoder: Encoder, dataset: Dataset, strategies: list[Strategy]
) -> Iterable[dict[str, object]]:
    """What an outlook would know of each strategy."""
    features = extract_features(encoder, dataset).values
    probe = Statistics(features, dataset.labels).held_out.value
    sample = sample_dataset(dataset, N_SEEN, SEED)
    found = gather_evidence(encoder, sample, strategies, SEED)
    base = log_odds(found["linear_probe"].kernel.value, len(sample))
    for strategy in strategies:
        seen = found[strategy.name]
        yield {
            "strategy": strategy.name,
            "n_seen": len(sample),
            "probe": f"{probe:.4f}",
            "kernel_gain": f"{log_odds(seen.kernel.value, len(sample)) - base:.4f}",
            "rehearsal_gain": f"{seen.rehearsal.gain if seen.rehearsal else 0.0:.4f}",
            "frozen_share": 1.0 - seen.kernel.share,
        }


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--table", type=Path, default=TABLE)
    parser.add_argument("jobs", nargs="*", default=JOBS)
    options = parser.parse_args()
    for job in options.jobs:
        measure(job, options.table)
