"""Our distances against those of other projects' code and of independent calculations."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
import pytest

from tests.golden import entries
from tests.golden.entries import golden_entries, needs_golden
from transferscore import distances


@cache
def arrays(case: str) -> dict[str, Any]:
    """Every golden value was computed after casting to float64."""
    found = entries.arrays(case)
    return found | {side: found[side].astype(np.float64) for side in ("source", "target")}


def labelled(entry: dict[str, Any]) -> dict[str, Any]:
    return {name: arrays(entry["case"])[name] for name in ("source_labels", "target_labels")}


def of(name: str, options: Callable[[dict[str, Any]], dict[str, Any]]):
    def compute(entry: dict[str, Any]) -> float:
        pair = arrays(entry["case"])
        return getattr(distances, name)(pair["source"], pair["target"], **options(entry))

    return compute


def nothing(entry: dict[str, Any]) -> dict[str, Any]:
    return {}


def unclipped(entry: dict[str, Any]) -> dict[str, Any]:
    return {"clip": False}


COMPUTE: dict[str, Callable[[dict[str, Any]], float]] = {
    "frechet": of("frechet", lambda e: {"ddof": int(e["variant"][-1])}),
    "mean_distance": of("mean_distance", nothing),
    "mean_cosine": of("mean_cosine_similarity", nothing),
    "mahalanobis_squared": of("mahalanobis", nothing),
    "coral": of("coral", nothing),
    "mmd2_rbf": of("mmd", lambda e: {"sigma": e["parameters"]["sigma"], "clip": False}),
    "kid": of("kid", unclipped),
    "energy_distance": of("energy_distance", lambda e: {"unbiased": e["variant"] == "u_statistic"}),
    "sliced_wasserstein": of(
        "sliced_wasserstein",
        lambda e: {
            "p": e["parameters"]["p"],
            "projections": arrays(e["case"])["projections"],
        },
    ),
    "sinkhorn_divergence": of(
        "sinkhorn", lambda e: {"reg": e["parameters"]["reg"], "objective": e["variant"]}
    ),
    "emd2": of("emd", nothing),
    "prototype_emd": of("emd_prototypes", labelled),
    "prototype_similarity": of(
        "prototype_similarity", lambda e: labelled(e) | {"gamma": e["parameters"]["gamma"]}
    ),
    "proxy_a_distance": of(
        "proxy_a", lambda e: {"folds": arrays(e["case"])["domain_folds"], "clip": False}
    ),
}


ENTRIES = golden_entries(lambda entry: entry["case"].startswith("dist_"))


@pytest.mark.parametrize("entry", ENTRIES)
def test_agrees_with_the_golden_value(entry):
    value = COMPUTE[entry["score"]](entry)
    assert value == pytest.approx(entry["value"], rel=entry["rtol"], abs=entry["atol"])


@needs_golden
def test_every_distance_case_is_looked_at():
    assert len(ENTRIES) == 198
    assert {param.values[0]["score"] for param in ENTRIES} == set(COMPUTE)


@needs_golden
def test_the_default_bandwidths_average_the_three_recorded_ones():
    recorded = [
        param.values[0]["value"]
        for param in ENTRIES
        if param.values[0]["score"] == "mmd2_rbf"
        and param.values[0]["case"] == "dist_unequal_300_500x24"
    ]
    pair = arrays("dist_unequal_300_500x24")
    assert len(recorded) == 3
    assert distances.mmd(pair["source"], pair["target"]) == pytest.approx(
        float(np.mean(recorded)), rel=1e-7
    )
