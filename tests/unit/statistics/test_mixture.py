"""Tests of `transferscore.statistics.mixture` and `kmeans` against scikit-learn's."""

from __future__ import annotations

import numpy as np
import pytest

from tests.reference.nleep import clusters, posteriors
from transferscore.statistics.kmeans import kmeans
from transferscore.statistics.mixture import mixture_posteriors


def points_of(n: int, p: int) -> np.ndarray:
    rng = np.random.default_rng(n + p)
    return rng.normal(size=(n, p)) + 3 * rng.normal(size=(4, p))[np.arange(n) % 4]


@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize(
    ("n", "p", "k"), [(80, 3, 4), (80, 3, 30), (40, 60, 6), (30, 1, 5), (30, 2, 30)]
)
def test_clusters_are_those_of_scikit_learn(n, p, k, seed):
    assert (kmeans(points_of(n, p), k, seed) == clusters(points_of(n, p), k, seed)).all()


def test_clusters_without_points_move_as_in_scikit_learn():
    points = np.repeat(points_of(6, 2), 5, axis=0)
    assert len(np.unique(kmeans(points, 6, 0))) == 6
    assert len(np.unique(kmeans(points, 9, 0))) == 6
    assert (kmeans(np.zeros((5, 2)), 3, 0) == 0).all()


@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize(
    ("n", "p", "k"), [(80, 3, 4), (80, 3, 12), (40, 60, 6), (60, 12, 10), (30, 1, 5)]
)
def test_posteriors_are_those_of_scikit_learn(n, p, k, seed):
    points = points_of(n, p)
    assert mixture_posteriors(points, k, seed) == pytest.approx(
        posteriors(points, k, seed), abs=1e-6
    )


@pytest.mark.parametrize("scale", [1e-8, 1e8, 1e50])
def test_any_scale_has_posteriors(scale):
    found = mixture_posteriors(points_of(40, 60) * scale, 6, 0)
    assert found.sum(axis=1) == pytest.approx(1.0)
