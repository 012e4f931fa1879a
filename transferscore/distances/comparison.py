"""Comparison: a level and any distances between two samples, as one document."""

from __future__ import annotations

import warnings
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any, TypeAlias

from numpy.typing import ArrayLike

from transferscore.distances.catalogue import basis_of, distance
from transferscore.distances.fingerprint import Fingerprint
from transferscore.distances.level import level_of
from transferscore.distances.null import permutation_null

__all__ = ["Side", "compare_samples"]

Features: TypeAlias = ArrayLike | Fingerprint


@dataclass(frozen=True, slots=True)
class Side:
    """One side of a comparison.

    Attributes:
        name: What the report calls it.
        features: `(n, d)`, or a fingerprint.
        labels: `(n,)`, or None.
    """

    name: str
    features: Features
    labels: ArrayLike | None = None


def compare_samples(
    source: Side,
    target: Side,
    distances: str | Iterable[str] | None = None,
    *,
    n_permutations: int = 0,
    seed: int = 0,
) -> dict[str, Any]:
    """The document of `transferscore distance --format json`.

    Args:
        source: What the model has seen.
        target: What it is to be used on, in the same encoder's space.
        distances: Names; by default all that the labels and the packages installed allow.
        n_permutations: Divisions of each distance's permutation null; 0 for no null.
        seed: Of every random choice.

    Returns:
        `source`, `target`, `level` (with the numbers that it follows from), `distances` (name,
        value, what it rests on, null) and `warnings`.

    Raises:
        InputError: As `distance` and `level_of` do.
        UnknownNameError: No distance of that name.
        MissingExtraError: A distance was asked for whose package is not installed.
    """
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", RuntimeWarning)
        labels = {"source_labels": source.labels, "target_labels": target.labels}
        values = distance(source.features, target.features, distances, **labels, seed=seed)
        basis = basis_of(source.features, target.features, list(values))
        entries = [
            {
                "name": name,
                "value": value,
                "rests_on": basis[name],
                "null": _null(name, source, target, n_permutations, seed),
            }
            for name, value in values.items()
        ]
        level = level_of(source.features, target.features, seed)
    return {
        "schema_version": 1,
        "source": source.name,
        "target": target.name,
        "level": asdict(level),
        "distances": entries,
        "warnings": list(dict.fromkeys(str(warning.message) for warning in caught)),
    }


def _null(
    name: str, source: Side, target: Side, n_permutations: int, seed: int
) -> dict[str, float] | None:
    if n_permutations == 0:
        return None
    labels = (source.labels, target.labels)
    sides = (source.features, target.features)
    null = permutation_null(name, *sides, n_permutations, seed, labels=labels)
    return {
        "value": max(0.0, null.value),
        "quantile_95": max(0.0, null.quantile()),
        "p_value": null.p_value,
        "n_rows": null.n_rows,
        "n_permutations": n_permutations,
    }
