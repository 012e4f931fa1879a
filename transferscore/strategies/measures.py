"""What trained outputs are worth on held-out rows, in the task's metric."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["measure"]


def measure(outputs: NDArray[Any], labels: NDArray[Any], task: str) -> dict[str, float]:
    """The task's metrics, the leading one first.

    Args:
        outputs: `(n, K)` logits, or predicted values `(n, m)`.
        labels: `(n,)` class ids, or real values.
        task: "classification" or "regression".

    Returns:
        "accuracy" and "macro_f1"; or "r2", averaged over targets.
    """
    if task != "classification":
        targets = labels.reshape(len(labels), -1)
        errors = np.mean((outputs - targets) ** 2, axis=0)
        return {"r2": float(np.mean(1.0 - errors / np.maximum(targets.var(axis=0), 1e-12)))}
    predicted = outputs.argmax(axis=1)
    accuracy = float(np.mean(predicted == labels))
    return {"accuracy": accuracy, "macro_f1": _macro_f1(predicted, labels)}


def _macro_f1(predicted: NDArray[np.int64], labels: NDArray[np.int64]) -> float:
    """Mean F1 of the classes that occur among labels or predictions."""
    n = int(max(predicted.max(), labels.max())) + 1
    hits = np.bincount(labels[predicted == labels], minlength=n)
    total = np.bincount(labels, minlength=n) + np.bincount(predicted, minlength=n)
    occurs = total > 0
    return float(np.mean(2.0 * hits[occurs] / total[occurs]))
