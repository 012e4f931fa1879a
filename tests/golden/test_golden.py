"""Our numbers against those of other projects' code and of independent calculations.

Each entry of the golden file is one test, to the tolerance that stands beside it.
"""

from __future__ import annotations

import warnings
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
from transferscore.scores.h_score import h_score_from_statistics
from transferscore.scores.knn import knn_from_statistics
from transferscore.scores.leep import leep_from_statistics
from transferscore.scores.logme import logme_from_statistics
from transferscore.scores.nce import nce_from_statistics
from transferscore.scores.shrinkage_h_score import shrinkage_h_score_from_statistics
from transferscore.statistics import HeldOut, held_out_folds


def held_out(entry: dict[str, Any]) -> HeldOut:
    shared, parameters = statistics(entry["case"]), entry["parameters"]
    return held_out_folds(
        shared.features,
        shared.targets,
        arrays(entry["case"])["folds"],
        np.array([parameters["lam"]]),
        intercept=parameters["intercept"],
    )


COMPUTE: dict[tuple[str, str | None], Callable[[dict[str, Any]], float]] = {
    ("logme", "converged"): of_statistics(logme_from_statistics),
    ("hscore", None): of_statistics(h_score_from_statistics),
    ("hscore_multivariate", None): of_statistics(h_score_from_statistics),
    ("regularized_hscore", None): of_statistics(shrinkage_h_score_from_statistics),
    ("nce", None): of_statistics(nce_from_statistics),
    ("leep", None): of_statistics(leep_from_statistics),
    ("knn_loo_accuracy", None): lambda entry: knn_from_statistics(
        statistics(entry["case"]), k=entry["parameters"]["k"]
    ),
    ("ridge_kfold_mse", None): lambda entry: float(held_out(entry).errors[0]),
    ("ridge_kfold_accuracy", None): lambda entry: held_out(entry).value,
    ("ridge_kfold_r2", None): lambda entry: held_out(entry).value,
}


def compute_of(entry: dict[str, Any]) -> Callable[[dict[str, Any]], float] | None:
    score, variant = entry["score"], entry["variant"]
    return COMPUTE.get((score, variant)) or COMPUTE.get((score, None))


ENTRIES = golden_entries(lambda entry: compute_of(entry) is not None)


@pytest.mark.parametrize("entry", ENTRIES)
def test_agrees_with_the_golden_value(entry):
    compute = compute_of(entry)
    with warnings.catch_warnings():
        # H-score says where it saturates, which the golden cases are chosen to do.
        warnings.simplefilter("ignore", RuntimeWarning)
        value = compute(entry)
    assert value == pytest.approx(entry["value"], rel=entry["rtol"], abs=entry["atol"])


@needs_golden
def test_every_score_has_golden_values():
    found = {param.values[0]["score"] for param in ENTRIES}
    assert found == {score for score, _ in COMPUTE}
    assert len(ENTRIES) >= 483
