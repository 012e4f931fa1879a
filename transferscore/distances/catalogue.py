"""`distance`: any or all distances between two samples, checked once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from importlib.util import find_spec

from numpy.typing import ArrayLike

from transferscore.distances.fingerprint import Fingerprint
from transferscore.distances.info import DistanceInfo
from transferscore.distances.pair import Pair
from transferscore.distances.registry import DISTANCES, distances_named

__all__ = ["basis_of", "distance"]


def distance(
    source_features: ArrayLike | Fingerprint,
    target_features: ArrayLike | Fingerprint,
    distances: str | Iterable[str] | None = None,
    *,
    source_labels: ArrayLike | None = None,
    target_labels: ArrayLike | None = None,
    seed: int = 0,
) -> Mapping[str, float]:
    """Compute distances of a target sample from a source sample. Lower is closer, for all of them.

    Args:
        source_features: `(n_source, d)`, or a fingerprint.
        target_features: `(n_target, d)` from the same encoder, or a fingerprint.
        distances: Names, or one string with commas; by default all that the labels given and the
            packages installed allow.
        source_labels: `(n_source,)` classes of any type, for the distances between labelled
            samples.
        target_labels: `(n_target,)`, likewise.
        seed: Of every random choice.

    Returns:
        Distance name to value, each at least 0: an unbiased estimate below 0, which means no
        difference found, shows as 0.

    Raises:
        InputError: Shapes do not match, a value is not finite, or a distance was asked for that
            needs labels that were not given.
        UnknownNameError: No distance of that name.
        MissingExtraError: A distance was asked for whose package is not installed.

    Examples:
        >>> a = [[1, 0], [2, 1], [0, 1], [1, 2], [3, 1]]
        >>> values = distance(a, [[4, 0], [5, 1], [3, 2]], "frechet,mean_distance")
        >>> {name: round(value, 3) for name, value in values.items()}
        {'frechet': 6.984, 'mean_distance': 2.6}
    """
    pair = Pair(
        source_features,
        target_features,
        source_labels=source_labels,
        target_labels=target_labels,
        seed=seed,
    )
    infos = _applicable(pair) if distances is None else distances_named(distances)
    return {info.name: max(0.0, info.compute(pair)) for info in infos}


def basis_of(
    source_features: ArrayLike | Fingerprint,
    target_features: ArrayLike | Fingerprint,
    distances: str | Iterable[str] | None = None,
) -> Mapping[str, str]:
    """Say of each distance what it rests on when taken between these two, in a few words."""
    infos = list(DISTANCES.values()) if distances is None else distances_named(distances)
    sides = (("source", source_features), ("target", target_features))
    given = [(name, side) for name, side in sides if isinstance(side, Fingerprint)]
    return {info.name: _basis(info, given) for info in infos}


def _basis(info: DistanceInfo, fingerprints: list[tuple[str, Fingerprint]]) -> str:
    if not fingerprints:
        if info.max_rows is None:
            return "all rows"
        return f"all rows, a seeded sample of either side above {info.max_rows:,}"
    if info.rests_on == "samples":
        words = [
            f"{len(side.coreset)} of {side.gaussian.count} rows in the {name} fingerprint's coreset"
            for name, side in fingerprints
        ]
    else:
        words = [f"the {name} fingerprint's exact {info.rests_on}" for name, _ in fingerprints]
    return " and ".join(words)


def _applicable(pair: Pair) -> list[DistanceInfo]:
    return [
        info
        for info in DISTANCES.values()
        if (pair.has_labels or not info.needs_labels)
        and (info.extra is None or find_spec(info.extra) is not None)
    ]
