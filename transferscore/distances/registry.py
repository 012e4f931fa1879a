"""The catalogue of distances: metadata by name, in the order in which reports show them.

Distances and scores have names of their own: the distance `energy` is not the score `energy`.
"""

from __future__ import annotations

from collections.abc import Iterable

from transferscore.distances.batch_norm import INFO as BATCH_NORM
from transferscore.distances.coral import INFO as CORAL
from transferscore.distances.emd import INFO as EMD
from transferscore.distances.emd_prototypes import INFO as EMD_PROTOTYPES
from transferscore.distances.energy import INFO as ENERGY
from transferscore.distances.frechet import INFO as FRECHET
from transferscore.distances.info import DistanceInfo, SourceFreeInfo
from transferscore.distances.kid import INFO as KID
from transferscore.distances.mahalanobis import INFO as MAHALANOBIS
from transferscore.distances.mean_cosine import INFO as MEAN_COSINE
from transferscore.distances.mean_distance import INFO as MEAN_DISTANCE
from transferscore.distances.mmd import INFO as MMD
from transferscore.distances.otdd import INFO as OTDD
from transferscore.distances.perplexity import INFO as PERPLEXITY
from transferscore.distances.proxy_a import INFO as PROXY_A
from transferscore.distances.sinkhorn import INFO as SINKHORN
from transferscore.distances.sliced_wasserstein import INFO as SLICED_WASSERSTEIN
from transferscore.errors import UnknownNameError

__all__ = ["DISTANCES", "SOURCE_FREE", "distances_named"]

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

# What a ranking shows of models that remember their source; not a function of two samples.
SOURCE_FREE: dict[str, SourceFreeInfo] = {info.name: info for info in (BATCH_NORM, PERPLEXITY)}


def distances_named(names: str | Iterable[str]) -> list[DistanceInfo]:
    """The distances of these names; a string may list several, separated by commas.

    Raises:
        UnknownNameError: A name is not in the catalogue; the message lists those that are.
    """
    wanted = names.split(",") if isinstance(names, str) else list(names)
    wanted = [name.strip() for name in wanted]
    unknown = [name for name in wanted if name not in DISTANCES]
    if unknown:
        if unknown[0] in SOURCE_FREE:
            raise UnknownNameError(
                f"{unknown[0]!r} is no distance between two samples: it needs no source, and a "
                f"ranking shows it for models that remember theirs."
            )
        raise UnknownNameError(
            f"There is no distance named {unknown[0]!r}; the distances are "
            f"{', '.join(sorted(DISTANCES))}."
        )
    return [DISTANCES[name] for name in wanted]
