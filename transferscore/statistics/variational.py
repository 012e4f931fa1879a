"""Counts of classes in source classes by variational rounds: what both PACTran bounds rest on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from transferscore.statistics.source import SourceClasses
from transferscore.statistics.targets import Targets

__all__ = ["Shares", "variational_shares"]

_Matrix = NDArray[np.float64]

# Keeps a sample whose every source class has lost its weight from a division of zero by zero.
_LEAST_LOG_WEIGHT = -700.0


@dataclass(frozen=True, slots=True)
class Shares:
    """How samples' source-class probabilities are shared out once their labels are known.

    Attributes:
        counts: `(K, C)` posterior mass of each class in each source class, from which the shares of
            the last round were made.
        divergence: Sum over samples of the Kullback-Leibler divergence of the shares of the last
            round from the probabilities.
    """

    counts: _Matrix
    divergence: float


def variational_shares(
    source: SourceClasses,
    targets: Targets,
    log_weights: Callable[[_Matrix], _Matrix],
    n_rounds: int,
) -> Shares:
    """Repeat: sample i's share in z goes with s_iz times the weight of (y_i, z); counts follow.

    Args:
        source: s, of n samples and C source classes.
        targets: Classes y of the n samples, K of them.
        log_weights: From counts `(K, C)` to log weights `(K, C)`.
        n_rounds: Number of rounds, at least one.
    """
    nearer = np.zeros((targets.n_columns, source.n_classes))
    for rows, block in source.blocks():
        nearer += _members(targets, rows) @ block
    for _ in range(n_rounds):
        counts, logs = nearer, log_weights(nearer)
        # A factor common to a class drops out of the shares; without it nothing overflows.
        logs = np.maximum(logs - logs.max(axis=1, keepdims=True), _LEAST_LOG_WEIGHT)
        nearer, log_sums = _shared_out(source, targets, np.exp(logs))
    # Over all samples the sum of q (log q - log s) is one over classes, less the normalisers.
    return Shares(counts, float(np.sum(nearer * logs)) - log_sums)


def _shared_out(source: SourceClasses, targets: Targets, weights: _Matrix) -> tuple[_Matrix, float]:
    """Mass of the shares `(K, C)`, and the sum of the logs of their normalisers."""
    codes, log_sums = targets.class_codes(), 0.0
    mass = np.zeros_like(weights)
    for rows, block in source.blocks():
        sums = np.einsum("ij,ij->i", block, weights[codes[rows]])
        log_sums += float(np.log(sums).sum())
        mass += _members(targets, rows, 1.0 / sums) @ block
    return mass * weights, log_sums


def _members(targets: Targets, rows: slice, values: _Matrix | None = None) -> csr_array:
    """`(K, len(rows))`, an entry in the row of each sample's class."""
    codes = targets.class_codes()[rows]
    values = np.ones(len(codes)) if values is None else values
    columns = np.arange(len(codes))
    return csr_array((values, (codes, columns)), (targets.n_columns, len(codes)))
