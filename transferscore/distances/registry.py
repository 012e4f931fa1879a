"""The catalogue of distances: metadata by name, in the order in which reports show them.

Distances and scores have names of their own: the distance `energy` is not the score `energy`.
"""

from __future__ import annotations

from collections.abc import Iterable

from transferscore.distances.coral import INFO as CORAL
from transferscore.distances.emd import INFO as EMD
from transferscore.distances.emd_prototypes import INFO as EMD_PROTOTYPES
from transferscore.distances.energy import INFO as ENERGY
from transferscore.distances.frechet import INFO as FRECHET
from transferscore.distances.info import DistanceInfo
from transferscore.distances.kid import INFO as KID
from transferscore.distances.mahalanobis import INFO as MAHALANOBIS
from transferscore.distances.mean_cosine import INFO as MEAN_COSINE
from transferscore.distances.mean_distance import INFO as MEAN_DISTANCE
from transferscore.distances.mmd import INFO as MMD
from transferscore.distances.otdd import INFO as OTDD
from transferscore.distances.proxy_a import INFO as PROXY_A
from transferscore.distances.sinkhorn import INFO as SINKHORN
from transferscore.distances.sliced_wasserstein import INFO as SLICED_WASSERSTEIN
from transferscore.errors import UnknownNameError

__all__ = ["DISTANCES", "distances_named"]

DISTANCES: dict[str, DistanceInfo] = {
    info.name: info
    for info in (
        PROXY_A,
        ENERGY,
        MMD,
        FRECHET,
        KID,
        CORAL,
        MAHALANOBIS,
        MEAN_DISTANCE,
        MEAN_COSINE,
        SLICED_WASSERSTEIN,
        SINKHORN,
        EMD,
        EMD_PROTOTYPES,
        OTDD,
    )
}


def distances_named(names: str | Iterable[str]) -> list[DistanceInfo]:
    """The distances of these names; a string may list several, separated by commas.

    Raises:
        UnknownNameError: A name is not in the catalogue; the message lists those that are.
    """
    wanted = names.split(",") if isinstance(names, str) else list(names)
    wanted = [name.strip() for name in wanted]
    unknown = [name for name in wanted if name not in DISTANCES]
    if unknown:
        raise UnknownNameError(
            f"There is no distance named {unknown[0]!r}; the distances are "
            f"{', '.join(sorted(DISTANCES))}."
        )
    return [DISTANCES[name] for name in wanted]
