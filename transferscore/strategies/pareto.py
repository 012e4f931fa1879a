"""The Pareto front: candidates that no other beats in accuracy, time and memory at once."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from transferscore.errors import InputError

__all__ = ["pareto_front"]


def pareto_front(gains: ArrayLike, costs: ArrayLike) -> NDArray[np.bool_]:
    r"""Tell which candidates are worth a thought: the others cost no less and reach no more.

    Candidate i is on the front unless some j has :math:`g_j \ge g_i` and :math:`c_j \le c_i` in
    every cost, one of them strictly. Equal candidates are on it together.

    Args:
        gains: `(m,)` higher is better: the predicted metric.
        costs: `(m, k)` lower is better: seconds, bytes. A NaN is a cost that nobody knows, which
            neither beats nor is beaten.

    Returns:
        `(m,)` whether each is on the front; at least one is where all costs are known.

    Raises:
        InputError: Shapes do not match.

    Examples:
        >>> pareto_front([0.9, 0.8, 0.7], [[10, 5], [2, 5], [3, 6]]).tolist()
        [True, True, False]
    """
    values = np.asarray(gains, dtype=np.float64)
    prices = np.asarray(costs, dtype=np.float64)
    if values.ndim != 1 or prices.ndim != 2 or len(prices) != len(values):
        raise InputError(
            f"`gains` and `costs` must have shapes (m,) and (m, k); "
            f"got {values.shape} and {prices.shape}."
        )
    no_worse = values[:, None] >= values[None, :]
    better = values[:, None] > values[None, :]
    for column in prices.T:
        # A comparison with NaN is false, so an unknown cost beats nobody.
        no_worse &= column[:, None] <= column[None, :]
        better |= column[:, None] < column[None, :]
    beaten: NDArray[np.bool_] = np.any(no_worse & better, axis=0)
    return ~beaten
