"""Nothing is decomposed twice: one eigendecomposition of the features serves all scores."""

from __future__ import annotations

import sys
import warnings
from typing import Any

import numpy as np
import pytest
from scipy.linalg import lapack

from transferscore.scores.catalogue import compute_scores
from transferscore.statistics import Statistics

N_CLASSES, N_COMPONENTS = 4, 64


class Counted:
    """A decomposition that keeps the shapes of what it is called with."""

    def __init__(self, function: Any, shapes: list[tuple[int, ...]]) -> None:
        self.function, self.shapes = function, shapes

    def __call__(self, matrix: Any, *args: Any, **options: Any) -> Any:
        self.shapes.append(np.shape(matrix))
        return self.function(matrix, *args, **options)


@pytest.fixture
def decomposed(monkeypatch) -> dict[str, list[tuple[int, ...]]]:
    """Shapes of all that is decomposed, by kind, wherever in the package it is called."""
    found: dict[str, list[tuple[int, ...]]] = {"spectrum": [], "eigh": [], "svd": []}
    monkeypatch.setattr(lapack, "dsytrd", Counted(lapack.dsytrd, found["spectrum"]))
    places = [np.linalg, *(m for n, m in sys.modules.items() if n.startswith("transferscore."))]
    for place in places:
        for kind in ("eigh", "svd"):
            if hasattr(place, kind):
                monkeypatch.setattr(place, kind, Counted(getattr(place, kind), found[kind]))
    return found


@pytest.mark.parametrize(("n", "d"), [(240, 100), (100, 240)])
def test_one_decomposition_of_the_features_serves_every_score(n, d, decomposed):
    rng = np.random.default_rng(0)
    labels = np.arange(n) % N_CLASSES
    features = rng.normal(size=(n, d)) + rng.normal(size=(N_CLASSES, d))[labels]
    source = rng.dirichlet(np.ones(5), n)
    statistics = Statistics(features, labels, source_probabilities=source)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        values = compute_scores(statistics, "all")
    assert len(values) >= 25
    assert decomposed["spectrum"] == [(min(n, d), min(n, d))]
    large = [shape for kind in ("eigh", "svd") for shape in decomposed[kind] if min(shape) > 64]
    # PARC depends on the signs of principal components. On few samples it takes those of a singular
    # value decomposition of its own, as its published values do; on many, those of the spectrum.
    assert large == [(n, d)]
    # What is left is of classes, or of the components that NCTI keeps.
    assert decomposed["eigh"]
    assert all(max(shape) <= N_COMPONENTS for shape in decomposed["eigh"])


def test_logme_alone_makes_no_vectors():
    statistics = Statistics(np.random.default_rng(0).normal(size=(60, 5)), np.arange(60) % 3)
    compute_scores(statistics, "logme,h_score,shrinkage_h_score,adjusted_h_score,lfc,emms")
    assert "vectors" not in vars(statistics.spectrum.basis)
    compute_scores(statistics, "ridge_probe")
    assert "vectors" in vars(statistics.spectrum.basis)
