"""NCE as Tran et al. (2019) define it, by counting pairs."""

from __future__ import annotations

from collections import Counter
from math import log

from numpy.typing import NDArray

__all__ = ["nce"]


def nce(source_probabilities: NDArray, labels: NDArray) -> float:
    """Minus the entropy of the label given the most likely source class."""
    source = [int(row.argmax()) for row in source_probabilities]
    pairs, singles = Counter(zip(labels.tolist(), source, strict=True)), Counter(source)
    n = len(labels)
    return sum(count / n * log(count / singles[z]) for (_, z), count in pairs.items())
