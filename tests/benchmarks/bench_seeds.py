"""How much training varies from seed to seed: the noise of a result that is kept as a prior.

    python tests/benchmarks/bench_seeds.py

A CIFAR-10 ResNet-20 of the zoo is trained on the same 120 rows of two sets of images with four
seeds each, as its recipe says, and tested on the same 500 other rows. Printed are the accuracies,
their standard deviation, and its root mean square over all.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from transferscore.datasets import Dataset, read_dataset
from transferscore.encoders import resolve_encoder
from transferscore.strategies import STRATEGIES
from transferscore.strategies.circumstances import circumstances_of
from transferscore.strategies.recipe import recipe_of
from transferscore.strategies.training import train_strategy

ZOO = Path(__file__).parents[3] / "shared" / "zoo"
MODEL = f"export:{ZOO}/models/export/resnet20_cifar10.pt2"
IMAGES = ["sign_language_digits", "flowers5"]
WAYS = ["partial", "full"]
N_TRAIN, N_TEST, N_SEEDS = 120, 500, 4


def accuracies(name: str, way: str) -> list[float]:
    """What each seed reaches."""
    dataset = read_dataset(ZOO / "datasets" / "image" / f"{name}.zip")
    order = np.random.default_rng(0).permutation(len(dataset))
    train, test = order[:N_TRAIN], order[N_TRAIN : N_TRAIN + N_TEST]
    plan = recipe_of(way, circumstances_of(_first(dataset), STRATEGIES[way], None)).plan()
    encoder = resolve_encoder(MODEL)
    return [
        train_strategy(encoder, STRATEGIES[way], dataset, train, test, plan=plan, seed=seed).value
        for seed in range(N_SEEDS)
    ]


def _first(dataset: Dataset) -> Dataset:
    """As many rows as are trained on: the recipe goes by their number."""
    rows = slice(0, N_TRAIN)
    return replace(
        dataset,
        samples=[dataset.samples[i] for i in range(N_TRAIN)],
        labels=dataset.labels[rows],
        rows=dataset.rows[rows],
    )


def main() -> None:
    """Print the table."""
    variances = []
    for name in IMAGES:
        for way in WAYS:
            found = accuracies(name, way)
            variances.append(np.var(found, ddof=1))
            shown = " ".join(f"{value:.3f}" for value in found)
            print(f"{name:<22}{way:<10}{shown}  deviation {np.std(found, ddof=1):.4f}", flush=True)
    print(f"root mean square of the deviations: {np.sqrt(np.mean(variances)):.4f}")


if __name__ == "__main__":
    main()
