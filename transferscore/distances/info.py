"""What the catalogue knows of a distance. Each distance's file says it once, beside the formula."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np

from transferscore.distances.pair import Pair
from transferscore.errors import InputError

__all__ = ["Basis", "DistanceInfo", "SourceFreeInfo", "checked", "without_rounding"]

Basis = Literal["moments", "prototypes", "samples"]


@dataclass(frozen=True, slots=True)
class DistanceInfo:
    """A registered distance. Lower is closer, always.

    Attributes:
        name: Registry name, also the name of its public function (`energy_distance` for energy).
        tells: What the number tells you, in one line.
        range: Least and greatest value.
        unit: How it grows with the features: "1" for none, "feature", "feature^2", "feature^4".
        paper: Authors (year), title, venue.
        bibtex: The paper as a BibTeX entry.
        compute: From a checked pair to the value, as estimated: unbiased estimators may be
            negative, and the public function shows 0 then.
        rests_on: What of the two samples it reads; what it reads of a fingerprint.
        max_rows: Most rows a side that it reads; a seeded sample of more. None: all.
        needs_labels: Whether both sides need class labels.
        extra: The optional dependency's import name that it needs, or None.
    """

    name: str
    tells: str
    range: str
    unit: str
    paper: str
    bibtex: str
    compute: Callable[[Pair], float]
    rests_on: Basis
    max_rows: int | None = None
    needs_labels: bool = False
    extra: str | None = None


@dataclass(frozen=True, slots=True)
class SourceFreeInfo:
    """A distance of samples from what a model remembers of its source. Lower is closer, always.

    Attributes:
        name: What a ranking calls it.
        tells: What the number tells you, in one line.
        needs: What a model must bring, and of which samples.
        reads: What of the two it reads.
        range: Least and greatest value.
        null: What it is measured against.
        paper: Authors (year), title, venue.
        bibtex: The paper as a BibTeX entry.
    """

    name: str
    tells: str
    needs: str
    reads: str
    range: str
    null: str
    paper: str
    bibtex: str


def checked(value: float, name: str) -> float:
    """`value`, if it is a number.

    Raises:
        InputError: It left the range of float64.
    """
    if not np.isfinite(value):
        raise InputError(
            f"The distance {name} of these features leaves the range of float64. "
            "Divide source and target by the same constant."
        )
    return float(value)


def without_rounding(difference: float, magnitude: float, n_terms: int) -> float:
    """A difference of sums that cannot be negative: 0 where it is below their rounding.

    The rule: `n_terms` sums of size `magnitude` are known to n_terms * eps * magnitude, and a
    smaller difference, of either sign, is no difference.
    """
    floor = n_terms * float(np.finfo(np.float64).eps) * magnitude
    return 0.0 if difference <= floor else difference
