"""Which pretrained model, adapted how, will do best on my data, and how sure can I be?

The public names are loaded at first use: importing this package imports nothing heavy.
"""

from __future__ import annotations

import importlib
import sys
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from transferscore.client import AsyncClient, Client
    from transferscore.datasets import Dataset, read_dataset
    from transferscore.distances import (
        coral,
        distance,
        emd,
        emd_prototypes,
        energy_distance,
        frechet,
        kid,
        mahalanobis,
        mean_cosine,
        mean_distance,
        mmd,
        otdd,
        proxy_a,
        sinkhorn,
        sliced_wasserstein,
    )
    from transferscore.encoders.profile import Profile, profile
    from transferscore.rank import rank
    from transferscore.ranking import Candidate, Failure, Prediction, Ranking
    from transferscore.scores.adjusted_h_score import adjusted_h_score
    from transferscore.scores.catalogue import score
    from transferscore.scores.emms import emms
    from transferscore.scores.energy import energy
    from transferscore.scores.gbc import gbc
    from transferscore.scores.h_score import h_score
    from transferscore.scores.intra_class_variance import intra_class_variance
    from transferscore.scores.knn import knn
    from transferscore.scores.lda import lda
    from transferscore.scores.leep import leep
    from transferscore.scores.lfc import lfc
    from transferscore.scores.logistic_probe import logistic_probe
    from transferscore.scores.logme import logme
    from transferscore.scores.nce import nce
    from transferscore.scores.ncti_feature_nuclear_norm import ncti_feature_nuclear_norm
    from transferscore.scores.ncti_log_class_nuclear_norm import ncti_log_class_nuclear_norm
    from transferscore.scores.ncti_mean_posterior import ncti_mean_posterior
    from transferscore.scores.nleep import nleep
    from transferscore.scores.pactran_dirichlet import pactran_dirichlet
    from transferscore.scores.pactran_gamma import pactran_gamma
    from transferscore.scores.pactran_gaussian import pactran_gaussian
    from transferscore.scores.parc import parc
    from transferscore.scores.ridge_probe import ridge_probe
    from transferscore.scores.sfda import sfda
    from transferscore.scores.shrinkage_h_score import shrinkage_h_score
    from transferscore.scores.transrate import transrate
    from transferscore.statistics import Statistics, statistics_of
    from transferscore.statistics.cka import cka
    from transferscore.statistics.tensors import tensor_statistics
    from transferscore.verify import verify

__all__ = [
    "AsyncClient",
    "Candidate",
    "Client",
    "Dataset",
    "Failure",
    "Prediction",
    "Profile",
    "Ranking",
    "Statistics",
    "adjusted_h_score",
    "cka",
    "coral",
    "distance",
    "emd",
    "emd_prototypes",
    "emms",
    "energy",
    "energy_distance",
    "frechet",
    "gbc",
    "h_score",
    "intra_class_variance",
    "kid",
    "knn",
    "lda",
    "leep",
    "lfc",
    "logistic_probe",
    "logme",
    "mahalanobis",
    "mean_cosine",
    "mean_distance",
    "mmd",
    "nce",
    "ncti_feature_nuclear_norm",
    "ncti_log_class_nuclear_norm",
    "ncti_mean_posterior",
    "nleep",
    "otdd",
    "pactran_dirichlet",
    "pactran_gamma",
    "pactran_gaussian",
    "parc",
    "profile",
    "proxy_a",
    "rank",
    "read_dataset",
    "ridge_probe",
    "score",
    "sfda",
    "shrinkage_h_score",
    "sinkhorn",
    "sliced_wasserstein",
    "statistics_of",
    "tensor_statistics",
    "transrate",
    "verify",
]

__version__ = "0.1.0"

_HOMES = {
    "AsyncClient": "client",
    "Candidate": "ranking",
    "Client": "client",
    "Dataset": "datasets",
    "Failure": "ranking",
    "Prediction": "ranking",
    "Profile": "encoders.profile",
    "Ranking": "ranking",
    "Statistics": "statistics",
    "adjusted_h_score": "scores.adjusted_h_score",
    "cka": "statistics.cka",
    "coral": "distances",
    "distance": "distances",
    "emd": "distances",
    "emd_prototypes": "distances",
    "emms": "scores.emms",
    "energy": "scores.energy",
    "energy_distance": "distances",
    "frechet": "distances",
    "gbc": "scores.gbc",
    "h_score": "scores.h_score",
    "intra_class_variance": "scores.intra_class_variance",
    "kid": "distances",
    "knn": "scores.knn",
    "lda": "scores.lda",
    "leep": "scores.leep",
    "lfc": "scores.lfc",
    "logistic_probe": "scores.logistic_probe",
    "logme": "scores.logme",
    "mahalanobis": "distances",
    "mean_cosine": "distances",
    "mean_distance": "distances",
    "mmd": "distances",
    "nce": "scores.nce",
    "ncti_feature_nuclear_norm": "scores.ncti_feature_nuclear_norm",
    "ncti_log_class_nuclear_norm": "scores.ncti_log_class_nuclear_norm",
    "ncti_mean_posterior": "scores.ncti_mean_posterior",
    "nleep": "scores.nleep",
    "otdd": "distances",
    "pactran_dirichlet": "scores.pactran_dirichlet",
    "pactran_gamma": "scores.pactran_gamma",
    "pactran_gaussian": "scores.pactran_gaussian",
    "parc": "scores.parc",
    "profile": "encoders.profile",
    "proxy_a": "distances",
    "rank": "rank",
    "read_dataset": "datasets",
    "ridge_probe": "scores.ridge_probe",
    "score": "scores.catalogue",
    "sfda": "scores.sfda",
    "shrinkage_h_score": "scores.shrinkage_h_score",
    "sinkhorn": "distances",
    "sliced_wasserstein": "distances",
    "statistics_of": "statistics",
    "tensor_statistics": "statistics.tensors",
    "transrate": "scores.transrate",
    "verify": "verify",
}


class _Package(ModuleType):
    """This package, in which `rank` is the function even after the file `rank.py` is imported."""

    def __setattr__(self, name: str, value: object) -> None:
        if not (name in _HOMES and isinstance(value, ModuleType)):
            super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Package


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
    setattr(sys.modules[__name__], name, value)
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
