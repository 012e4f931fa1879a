"""Small pairs of samples in every regime, for comparing a fast distance with its slow reference."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["PAIRS", "SamplePair", "sample_pair"]


@dataclass(frozen=True)
class SamplePair:
    """Source `(n, d)` and target `(m, d)` with classes."""

    name: str
    source: NDArray[np.float64]
    target: NDArray[np.float64]
    source_labels: NDArray[np.int64]
    target_labels: NDArray[np.int64]

    def scaled(self, name: str, factor: float = 1.0, offset: float = 0.0) -> SamplePair:
        """The same samples in another unit and place."""
        source, target = self.source * factor + offset, self.target * factor + offset
        return SamplePair(name, source, target, self.source_labels, self.target_labels)


def sample_pair(n: int, m: int, d: int, name: str = "", seed: int = 0) -> SamplePair:
    """Correlated features; the target's classes are others, its means and spread too."""
    rng = np.random.default_rng(seed)
    mixing = rng.normal(size=(d, d)) / np.sqrt(d) + np.eye(d)
    source_labels, target_labels = np.arange(n) % 3, np.arange(m) % 4
    source = rng.normal(size=(n, d)) @ mixing + rng.normal(size=(3, d))[source_labels]
    target = 1.3 * rng.normal(size=(m, d)) @ mixing + rng.normal(size=(4, d))[target_labels]
    return SamplePair(name, source + 0.5, target + 0.8, source_labels, target_labels)


def _pairs() -> list[SamplePair]:
    tall = sample_pair(30, 24, 5, "unequal n")
    repeated = np.concatenate([tall.source, tall.source])
    labels = np.concatenate([tall.source_labels, tall.source_labels])
    constant = [np.hstack([x, np.full((len(x), 1), 0.1)]) for x in (tall.source, tall.target)]
    own = (tall.source_labels, tall.target_labels)
    return [
        tall,
        sample_pair(20, 20, 4, "equal n"),
        sample_pair(9, 12, 30, "n < d"),
        sample_pair(12, 12, 12, "n = d"),
        sample_pair(25, 40, 1, "d = 1"),
        sample_pair(40, 9, 20, "n < d on one side"),
        tall.scaled("a scale of 1e-6", 1e-6),
        tall.scaled("a scale of 1e6", 1e6),
        tall.scaled("far from the origin", 1.0, 300.0),
        SamplePair("repeated rows", repeated, tall.source, labels, tall.source_labels),
        SamplePair("a constant column", constant[0], constant[1], *own),
    ]


PAIRS = _pairs()
