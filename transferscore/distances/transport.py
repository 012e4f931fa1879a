"""Exact optimal transport through POT, with its convergence looked at."""

from __future__ import annotations

import warnings

import numpy as np
from numpy.typing import NDArray

from transferscore.errors import MissingExtraError

__all__ = ["transport_cost"]

_MAX_ITERATIONS = 10_000_000


def transport_cost(
    cost: NDArray[np.float64],
    source_weights: NDArray[np.float64] | None,
    target_weights: NDArray[np.float64] | None,
    name: str,
) -> float:
    """The least total cost of moving one distribution onto the other.

    Args:
        cost: `(n, m)`, non-negative.
        source_weights: `(n,)` summing to 1; None: equal.
        target_weights: `(m,)` likewise.
        name: Of the distance, for messages.

    Raises:
        MissingExtraError: POT is not installed.
    """
    try:
        from ot.lp import emd2
    except ImportError:
        raise MissingExtraError.of("ot", "ot", f"The distance {name}") from None

    # The network simplex has absolute tolerances: costs of order 1 keep them small.
    largest = float(cost.max())
    if largest == 0.0:
        return 0.0
    with warnings.catch_warnings():
        # POT says the same in its log, which is read below.
        warnings.simplefilter("ignore")
        value, log = emd2(
            [] if source_weights is None else source_weights,
            [] if target_weights is None else target_weights,
            cost / largest,
            numItermax=_MAX_ITERATIONS,
            log=True,
        )
    if log["warning"] is not None:
        warnings.warn(
            f"The distance {name} did not converge, its value is an upper bound: {log['warning']}.",
            RuntimeWarning,
            stacklevel=4,
        )
    return float(value) * largest
