"""PARC, N-LEEP, the PACTran bounds, EMMS and energy against other projects' numbers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from tests.golden.entries import arrays, golden_entries, needs_golden, statistics
from transferscore.scores.emms import emms
from transferscore.scores.energy import energy_from_statistics
from transferscore.scores.nleep import nleep_from_statistics
from transferscore.scores.pactran_dirichlet import pactran_dirichlet_from_statistics
from transferscore.scores.pactran_gamma import pactran_gamma_from_statistics
from transferscore.scores.pactran_gaussian import pactran_gaussian_from_statistics
from transferscore.scores.parc import parc_from_statistics

# Features of rank 20, whose recorded value standardises twelve directions of rounding noise: it
# changes by a few percent with the decomposition, and with the last digit of the mean.
NOISE = {("lowrank_600x96_k6", "parc", "pca32")}


def parc_value(entry: dict[str, Any]) -> float:
    return parc_from_statistics(statistics(entry["case"]), entry["parameters"]["pca"])


def nleep_value(entry: dict[str, Any]) -> float:
    components = "tenth" if entry["variant"] == "pactran_components" else "five_per_class"
    log = not entry["variant"].endswith("no_log")
    return nleep_from_statistics(statistics(entry["case"]), components, log)


def gaussian_value(entry: dict[str, Any]) -> float:
    lam, ratio = entry["parameters"]["lam"], entry["parameters"]["s_over_lam"]
    return -pactran_gaussian_from_statistics(statistics(entry["case"]), lam, ratio)


def emms_value(entry: dict[str, Any]) -> float:
    stored = arrays(entry["case"])
    embeddings = stored["label_embeddings"][: len(entry["parameters"]["weights"])]
    return emms(stored["features"].astype(np.float64), stored["labels"], embeddings=embeddings)


COMPUTE: dict[str, Callable[[dict[str, Any]], float]] = {
    "parc": parc_value,
    "nleep": nleep_value,
    "pactran_gauss": gaussian_value,
    "pactran_dirichlet": lambda e: -pactran_dirichlet_from_statistics(statistics(e["case"])),
    "pactran_gamma": lambda e: -pactran_gamma_from_statistics(statistics(e["case"])),
    "etran_energy": lambda e: energy_from_statistics(statistics(e["case"])),
    "emms": emms_value,
}


ENTRIES = golden_entries(
    lambda entry: (
        entry["score"] in COMPUTE and (entry["case"], entry["score"], entry["variant"]) not in NOISE
    )
)


@pytest.mark.parametrize("entry", ENTRIES)
def test_agrees_with_the_golden_value(entry):
    value = COMPUTE[entry["score"]](entry)
    assert value == pytest.approx(entry["value"], rel=entry["rtol"], abs=entry["atol"])


@needs_golden
def test_every_score_has_golden_values():
    found = Counter(param.values[0]["score"] for param in ENTRIES)
    assert found == {
        "parc": 42,
        "nleep": 10,
        "pactran_gauss": 48,
        "pactran_dirichlet": 25,
        "pactran_gamma": 25,
        "etran_energy": 23,
        "emms": 38,
    }
