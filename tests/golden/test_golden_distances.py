"""Our distances against those of other projects' code and of independent calculations."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from transferscore import distances

GOLDEN = Path(__file__).parents[2] / "../shared/golden"


@cache
def arrays(case: str) -> dict[str, Any]:
    """Every golden value was computed after casting to float64."""
    with np.load(GOLDEN / "cases" / f"{case}.npz") as stored:
        found = dict(stored)
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


def golden_entries() -> list[Any]:
    if not GOLDEN.is_dir():
        reason = "the golden values are not beside this checkout"
        return [pytest.param(None, marks=pytest.mark.skip(reason=reason), id="absent")]
    stored = json.loads((GOLDEN / "golden.json").read_text())
    return [
        pytest.param(entry, id="-".join(filter(None, map(entry.get, ("case", "score", "variant")))))
        for entry in stored["entries"]
        if entry["case"].startswith("dist_")
    ]


ENTRIES = golden_entries()


@pytest.mark.parametrize("entry", ENTRIES)
def test_agrees_with_the_golden_value(entry):
    value = COMPUTE[entry["score"]](entry)
    assert value == pytest.approx(entry["value"], rel=entry["rtol"], abs=entry["atol"])


def test_every_distance_case_is_looked_at():
    if not GOLDEN.is_dir():
        pytest.skip("the golden values are not beside this checkout")
    assert len(ENTRIES) == 198
    assert {param.values[0]["score"] for param in ENTRIES} == set(COMPUTE)


def test_the_default_bandwidths_average_the_three_recorded_ones():
    if not GOLDEN.is_dir():
        pytest.skip("the golden values are not beside this checkout")
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
