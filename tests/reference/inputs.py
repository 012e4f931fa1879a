"""Small inputs in every regime, for comparing a fast formula with its slow reference."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["CLASS_INPUTS", "INPUTS", "Input", "class_input", "indicators"]


@dataclass(frozen=True)
class Input:
    """Features `(n, d)` and labels, `(n,)` classes or `(n, m)` numbers."""

    name: str
    features: NDArray[np.float64]
    labels: NDArray
    task: str = "classification"

    @property
    def columns(self) -> NDArray[np.float64]:
        """The labels as target columns `(n, m)`."""
        return indicators(self.labels) if self.task == "classification" else self.labels


def indicators(labels: NDArray) -> NDArray[np.float64]:
    """One 0/1 column for each class, in sorted order."""
    return (np.asarray(labels)[:, None] == np.unique(labels)).astype(float)


def class_input(
    n: int, d: int, n_classes: int = 3, seed: int = 0
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Correlated features that tell the classes apart in part, away from the origin."""
    rng = np.random.default_rng(seed)
    labels = rng.permutation(np.arange(n) % n_classes)
    mixing = rng.normal(size=(d, d)) / np.sqrt(d) + np.eye(d)
    features = rng.normal(size=(n, d)) @ mixing + rng.normal(size=(n_classes, d))[labels]
    return features + 0.5, labels


def _class_inputs() -> list[Input]:
    tall, y = class_input(40, 6)
    wide, y_wide = class_input(14, 30)
    square, y_square = class_input(12, 12)
    rng = np.random.default_rng(1)
    low_rank = wide[:, :4] @ rng.normal(size=(4, 30))
    repeated = np.repeat(np.arange(10), 4)
    return [
        Input("n > d", tall, y),
        Input("n < d", wide, y_wide),
        Input("n = d", square, y_square),
        Input("d = 1", tall[:, :1], y),
        Input("low rank, n < d", low_rank, y_wide),
        Input("repeated columns", np.hstack([tall, tall[:, :3]]), y),
        Input("repeated rows", tall[repeated], y[repeated]),
        Input("a constant column", np.hstack([tall, np.full((40, 1), 0.1)]), y),
        Input("a scale of 1e-6", tall * 1e-6, y),
        Input("a scale of 1e6", tall * 1e6, y),
        Input("far from the origin", tall + 100.0, y),
        Input("unequal classes", tall, np.where(np.arange(40) < 30, 0, y)),
        Input("two classes", tall, (y > 0).astype(int)),
    ]


def _number_inputs() -> list[Input]:
    tall, _ = class_input(40, 6)
    wide, y_wide = class_input(14, 30)
    rng = np.random.default_rng(2)
    targets = tall[:, :2] + rng.normal(size=(40, 2)) + 3.0
    return [
        Input("regression", tall, targets[:, :1], "regression"),
        Input("two outputs of unequal scale", tall, targets * [1e5, 1e-5], "regression"),
        Input("regression, n < d", wide, rng.normal(size=(14, 2)) + 1.0, "regression"),
        Input("multilabel", tall, (targets > 3.0).astype(float), "multilabel"),
        Input("multilabel, n < d", wide, indicators(y_wide)[:, :2], "multilabel"),
        Input("repeated outputs", tall, targets[:, [0, 0, 1]], "regression"),
    ]


CLASS_INPUTS = _class_inputs()
INPUTS = CLASS_INPUTS + _number_inputs()
