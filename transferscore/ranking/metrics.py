"""Metrics of held-out outputs, and what each row contributes to them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["average_precision", "macro_f1", "spearman"]

_HALF = 0.5


def average_precision(
    outputs: NDArray[np.float64], targets: NDArray[np.float64]
) -> tuple[float, NDArray[np.float64]]:
    """Average precision, averaged over labels, and its rows' losses.

    Args:
        outputs: `(n, m)` higher where a label is likelier.
        targets: `(n, m)` 0 or 1.

    Returns:
        The value, averaged over the labels that some row has; and `(n,)` losses whose mean is one
        minus the value and whose spread is that of the value when rows are drawn again: jackknife
        pseudo-values, because a ranking is no mean over rows.
    """
    columns = np.flatnonzero(targets.any(axis=0))
    values, left_out = zip(
        *(_one_label(outputs[:, j], targets[:, j] > _HALF) for j in columns), strict=True
    )
    value, without = float(np.mean(values)), np.mean(left_out, axis=0)
    influence = (len(targets) - 1) * (value - without)
    losses: NDArray[np.float64] = 1.0 - value - (influence - influence.mean())
    return value, losses


def _one_label(
    outputs: NDArray[np.float64], has_label: NDArray[np.bool_]
) -> tuple[float, NDArray[np.float64]]:
    """Average precision of one label, and what it would be without each row `(n,)`."""
    # Equal outputs in a random order: the order of the rows may well be that of their labels.
    order = np.lexsort((np.random.default_rng(0).permutation(len(outputs)), -outputs))
    hits, place = has_label[order].astype(np.float64), np.arange(1.0, len(outputs) + 1)
    found, n_hits = np.cumsum(hits), float(has_label.sum())
    before = np.cumsum(hits * found / place)
    value = before[-1] / n_hits
    # Below a row that goes, every place is one higher, and after a hit one hit fewer is found.
    higher = np.maximum(place - 1.0, 1.0)
    after_miss, after_hit = np.cumsum(hits * found / higher), np.cumsum(hits * (found - 1) / higher)
    above = before - hits * found / place
    without = np.where(
        hits > 0.0,
        (above + after_hit[-1] - after_hit) / max(n_hits - 1.0, 1.0),
        (above + after_miss[-1] - after_miss) / n_hits,
    )
    left_out = np.empty_like(without)
    left_out[order] = without
    return float(value), left_out


def macro_f1(predicted: NDArray[np.bool_], actual: NDArray[np.bool_]) -> float:
    """F1, averaged over the labels that some row has.

    Args:
        predicted: `(n, m)` which labels are answered.
        actual: `(n, m)` which are right.
    """
    shown = actual.any(axis=0)
    both = (predicted & actual).sum(axis=0)[shown]
    either = (predicted.sum(axis=0) + actual.sum(axis=0))[shown]
    return float(np.mean(2.0 * both / either))


def spearman(outputs: NDArray[np.float64], targets: NDArray[np.float64]) -> float:
    """Correlation of ranks `(n, m)`, averaged over outputs that vary; 0 where none does."""
    from scipy.stats import rankdata

    ranks = [rankdata(values, axis=0) for values in (outputs, targets)]
    centred = [rank - rank.mean(axis=0) for rank in ranks]
    scales = np.sqrt((centred[0] ** 2).sum(axis=0) * (centred[1] ** 2).sum(axis=0))
    products = (centred[0] * centred[1]).sum(axis=0)[scales > 0.0]
    return float(np.mean(products / scales[scales > 0.0])) if len(products) else 0.0
