"""TransRate, GBC, SFDA, NCTI, LDA, LFC and CKA against other projects' numbers."""

from __future__ import annotations

import json
import warnings
from collections import Counter
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

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
from transferscore.statistics import Statistics
from transferscore.statistics.cka import cka

GOLDEN = Path(__file__).parents[2] / "../shared/golden"

# Features of rank 20, whose recorded values count 44 directions of rounding noise like the others:
# scikit-learn itself gives other values when it runs again.
NOISE = "lowrank_600x96_k6"
VARIANTS = {"": "tllib", "normalised": "normalised"}
COVARIANCES = {"spherical": "spherical", "diag": "diagonal", "full": "full"}


@cache
def arrays(case: str) -> dict[str, Any]:
    with np.load(GOLDEN / "cases" / f"{case}.npz") as stored:
        return dict(stored)


@cache
def statistics(case: str) -> Statistics:
    """Every golden value was computed after casting to float64."""
    stored = arrays(case)
    return Statistics(stored["features"].astype(np.float64), stored["labels"])


def alignment(entry: dict[str, Any]) -> float:
    stored = arrays(entry["case"])
    a, b = stored["features"].astype(np.float64), stored["features_b"].astype(np.float64)
    return cka(a, b, debiased=entry["variant"] == "debiased")


def of_statistics(compute: Callable[..., float]) -> Callable[[dict[str, Any]], float]:
    return lambda entry: compute(statistics(entry["case"]))


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


def golden_entries() -> list[Any]:
    if not GOLDEN.is_dir():
        reason = "the golden values are not beside this checkout"
        return [pytest.param(None, marks=pytest.mark.skip(reason=reason), id="absent")]
    entries = json.loads((GOLDEN / "golden.json").read_text())["entries"]
    return [
        pytest.param(entry, id="-".join(filter(None, map(entry.get, ("case", "score", "variant")))))
        for entry in entries
        if entry["score"] in COMPUTE
        and not (entry["case"] == NOISE and entry["score"].startswith("ncti"))
    ]


ENTRIES = golden_entries()


@pytest.mark.parametrize("entry", ENTRIES)
def test_agrees_with_the_golden_value(entry):
    with warnings.catch_warnings():
        # In-sample scores say where they are too good, as they are in many of the cases.
        warnings.simplefilter("ignore", RuntimeWarning)
        value = COMPUTE[entry["score"]](entry)
    assert value == pytest.approx(entry["value"], rel=entry["rtol"], abs=entry["atol"])


def test_every_score_has_golden_values():
    if not GOLDEN.is_dir():
        pytest.skip("the golden values are not beside this checkout")
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
