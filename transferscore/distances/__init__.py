"""Distances: how far target lies from source in one encoder's space. Lower is closer, always."""

from transferscore.distances.batch_norm import BatchNormDistance, batch_norm_distance
from transferscore.distances.catalogue import basis_of, distance
from transferscore.distances.comparison import Side, compare_samples
from transferscore.distances.coral import coral
from transferscore.distances.emd import emd
from transferscore.distances.emd_prototypes import emd_prototypes, prototype_similarity
from transferscore.distances.energy import energy_distance
from transferscore.distances.fingerprint import (
    Fingerprint,
    fingerprint_of,
    is_fingerprint,
    load_fingerprint,
    save_fingerprint,
)
from transferscore.distances.frechet import frechet
from transferscore.distances.info import DistanceInfo, SourceFreeInfo
from transferscore.distances.kid import kid
from transferscore.distances.level import LEVELS, DistanceLevel, level_of
from transferscore.distances.mahalanobis import mahalanobis
from transferscore.distances.mean_cosine import mean_cosine, mean_cosine_similarity
from transferscore.distances.mean_distance import mean_distance
from transferscore.distances.mmd import mmd
from transferscore.distances.null import PermutationNull, permutation_null
from transferscore.distances.otdd import otdd
from transferscore.distances.perplexity import PerplexityDistance, perplexity_distance
from transferscore.distances.proxy_a import proxy_a
from transferscore.distances.registry import DISTANCES, SOURCE_FREE, distances_named
from transferscore.distances.sample_file import SAMPLE_SUFFIXES, read_sample_file
from transferscore.distances.sinkhorn import sinkhorn
from transferscore.distances.sliced_wasserstein import sliced_wasserstein

__all__ = [
    "DISTANCES",
    "LEVELS",
    "SAMPLE_SUFFIXES",
    "SOURCE_FREE",
    "BatchNormDistance",
    "DistanceInfo",
    "DistanceLevel",
    "Fingerprint",
    "PermutationNull",
    "PerplexityDistance",
    "Side",
    "SourceFreeInfo",
    "basis_of",
    "batch_norm_distance",
    "compare_samples",
    "coral",
    "distance",
    "distances_named",
    "emd",
    "emd_prototypes",
    "energy_distance",
    "fingerprint_of",
    "frechet",
    "is_fingerprint",
    "kid",
    "level_of",
    "load_fingerprint",
    "mahalanobis",
    "mean_cosine",
    "mean_cosine_similarity",
    "mean_distance",
    "mmd",
    "otdd",
    "permutation_null",
    "perplexity_distance",
    "prototype_similarity",
    "proxy_a",
    "read_sample_file",
    "save_fingerprint",
    "sinkhorn",
    "sliced_wasserstein",
]
