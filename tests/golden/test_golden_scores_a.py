"""TransRate, GBC, SFDA, NCTI, LDA, LFC and CKA against other projects' numbers."""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from tests.golden.entries import (
    arrays,
    golden_entries,
    needs_golden,
    of_statistics,
    statistics,
)
from transferscore.scores.gbc import gbc_from_statistics
from transferscore.scores.lda import lda_from_statistics
from transferscore.scores.lfc import lfc_from_statistics
from transferscore.scores.ncti_feature_nuclear_norm import (
    ncti_feature_nuclear_norm_from_statistics,
)
from transferscore.scores.ncti_log_class_nuclear_norm import (
    ncti_log_class_nuclear_norm_from_statistics,
)
from transferscore.scores.ncti_mean_posterior import ncti_mean_posterior_from_statistics
from transferscore.scores.sfda import sfda_from_statistics
from transferscore.scores.transrate import transrate_from_statistics
from transferscore.statistics.cka import cka

# Features of rank 20, whose recorded values count 44 directions of rounding noise like the others:
# scikit-learn itself gives other values when it runs again.
NOISE = "lowrank_600x96_k6"
VARIANTS = {"": "tllib", "normalised": "normalised"}
COVARIANCES = {"spherical": "spherical", "diag": "diagonal", "full": "full"}


def alignment(entry: dict[str, Any]) -> float:
    stored = arrays(entry["case"])
    a, b = stored["features"].astype(np.float64), stored["features_b"].astype(np.float64)
    return cka(a, b, debiased=entry["variant"] == "debiased")


COMPUTE: dict[str, Callable[[dict[str, Any]], float]] = {
    "transrate": lambda e: transrate_from_statistics(
        statistics(e["case"]), variant=VARIANTS[e["variant"]]
    ),
    "gbc": lambda e: gbc_from_statistics(
        statistics(e["case"]), covariance=COVARIANCES[e["variant"]]
    ),
    "sfda": of_statistics(sfda_from_statistics),
    "ncti_feature_nuclear_norm": of_statistics(ncti_feature_nuclear_norm_from_statistics),
    "ncti_mean_posterior": of_statistics(ncti_mean_posterior_from_statistics),
    "ncti_log_class_nuclear_norm": lambda e: (
        -ncti_log_class_nuclear_norm_from_statistics(statistics(e["case"]))
    ),
    "lda_mean_posterior": lambda e: lda_from_statistics(
        statistics(e["case"]), in_sample=e["variant"]
    ),
    "lfc": of_statistics(lfc_from_statistics),
    "cka_linear": alignment,
}


ENTRIES = golden_entries(
    lambda entry: (
        entry["score"] in COMPUTE
        and not (entry["case"] == NOISE and entry["score"].startswith("ncti"))
    )
)


@pytest.mark.parametrize("entry", ENTRIES)
def test_agrees_with_the_golden_value(entry):
    with warnings.catch_warnings():
        # In-sample scores say where they are too good, as they are in many of the cases.
        warnings.simplefilter("ignore", RuntimeWarning)
        value = COMPUTE[entry["score"]](entry)
    assert value == pytest.approx(entry["value"], rel=entry["rtol"], abs=entry["atol"])


@needs_golden
def test_every_score_has_golden_values():
    found = Counter((param.values[0]["score"], param.values[0]["variant"]) for param in ENTRIES)
    assert found == {
        ("transrate", ""): 27,
        ("transrate", "normalised"): 27,
        ("gbc", "spherical"): 26,
        ("gbc", "diag"): 24,
        ("gbc", "full"): 16,
        ("sfda", ""): 19,
        ("ncti_feature_nuclear_norm", ""): 16,
        ("ncti_mean_posterior", ""): 16,
        ("ncti_log_class_nuclear_norm", ""): 16,
        ("lda_mean_posterior", "no_shrinkage"): 18,
        ("lda_mean_posterior", "ledoit_wolf"): 27,
        ("lfc", ""): 27,
        ("cka_linear", "debiased"): 4,
        ("cka_linear", "biased"): 4,
    }
