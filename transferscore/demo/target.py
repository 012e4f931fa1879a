"""The demo's target: handwritten digits 5 to 9, few of them labelled."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

__all__ = ["Target", "read_target", "save_target"]


@dataclass(frozen=True, slots=True)
class Target:
    """Digits 5 to 9, split into what the ranking sees and what only the probes are tested on.

    Attributes:
        images: `(n, 1, 8, 8)` float32 in [0, 1].
        labels: `(n,)` int64, the digits themselves.
        labelled: `(n,)` bool, the rows whose labels the user is taken to have.
    """

    images: NDArray[np.float32]
    labels: NDArray[np.int64]
    labelled: NDArray[np.bool_]


def read_target(per_class: int, seed: int) -> Target:
    """All handwritten digits 5 to 9 that scikit-learn ships, `per_class` of each labelled."""
    from sklearn.datasets import load_digits

    digits = load_digits()
    high = digits.target >= 5
    images = np.ascontiguousarray(digits.images[high, None] / 16.0, dtype=np.float32)
    labels = digits.target[high].astype(np.int64)
    rng = np.random.default_rng(seed)
    labelled = np.zeros(len(labels), dtype=bool)
    for digit in range(5, 10):
        labelled[rng.permutation(np.flatnonzero(labels == digit))[:per_class]] = True
    return Target(images, labels, labelled)


def save_target(target: Target, path: Path) -> None:
    """Write the target as `transferscore rank` reads it: labelled rows are the train split."""
    split = np.where(target.labelled, "train", "test")
    with path.open("wb") as file:
        np.savez_compressed(file, X=target.images, labels=target.labels, split=split)
