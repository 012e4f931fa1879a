"""Reads the golden values: other projects' numbers, and those of independent calculations."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from transferscore.statistics import Statistics

__all__ = ["arrays", "golden_entries", "needs_golden", "of_statistics", "statistics"]

_GOLDEN = Path(__file__).parents[2] / "../shared/golden"
_REASON = "the golden values are not beside this checkout"

needs_golden = pytest.mark.skipif(not _GOLDEN.is_dir(), reason=_REASON)


@cache
def arrays(case: str) -> dict[str, Any]:
    """The inputs of a case, as they are stored."""
    with np.load(_GOLDEN / "cases" / f"{case}.npz") as stored:
        return dict(stored)


@cache
def statistics(case: str) -> Statistics:
    """Statistics of a case; every golden value was computed after casting to float64."""
    stored = arrays(case)
    features = stored["features"].astype(np.float64)
    if "labels" in stored:
        source = stored.get("source_probs")
        return Statistics(features, stored["labels"], source_probabilities=source)
    return Statistics(features, stored["targets"], task="regression")


def of_statistics(compute: Callable[..., float]) -> Callable[[dict[str, Any]], float]:
    """A score as a function of an entry."""
    return lambda entry: compute(statistics(entry["case"]))


def golden_entries(is_wanted: Callable[[dict[str, Any]], bool]) -> list[Any]:
    """The entries that are wanted as parameters of a test; one that is skipped without the file."""
    if not _GOLDEN.is_dir():
        return [pytest.param(None, marks=pytest.mark.skip(reason=_REASON), id="absent")]
    entries = json.loads((_GOLDEN / "golden.json").read_text())["entries"]
    return [
        pytest.param(entry, id="-".join(filter(None, map(entry.get, ("case", "score", "variant")))))
        for entry in entries
        if is_wanted(entry)
    ]
