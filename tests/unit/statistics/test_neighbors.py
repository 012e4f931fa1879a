"""Tests of `transferscore.statistics.neighbors`: exact, whatever float32 hides."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.reference.knn import nearest_others as slow_nearest_others
from transferscore.statistics import neighbors
from transferscore.statistics.neighbors import nearest_others
from transferscore.statistics.rows import row_blocks

RNG = np.random.default_rng(0)
CLOUD = RNG.normal(size=(80, 5))
HARD = {
    "plain": CLOUD,
    "float32": CLOUD.astype(np.float32),
    "one feature": CLOUD[:, :1],
    "wide": RNG.normal(size=(40, 300)),
    "far from the origin": CLOUD + 1e8,
    "a row far off": np.vstack([CLOUD, [[1e9] * 5]]),
    "two distant clusters": CLOUD + 1e7 * (np.arange(80) % 2)[:, None],
    "one feature of huge spread": CLOUD * [1e9, 1, 1, 1, 1],
    "a grid with many ties": RNG.integers(0, 2, (80, 4)).astype(float),
    "each row many times": np.repeat(CLOUD[:3], 30, axis=0),
    "rows of one point": np.full((40, 3), 0.1),
    "all but one the same": np.vstack([np.full((40, 3), 0.1), [[1.0, 2.0, 3.0]]]),
    "tiny": CLOUD * 1e-60,
    "huge": CLOUD * 1e60,
}


@pytest.mark.parametrize("k", [1, 5])
@pytest.mark.parametrize("name", HARD)
def test_agrees_with_brute_force(name, k):
    features = HARD[name]
    expected = np.sort(slow_nearest_others(features.astype(np.float64), k), axis=1)
    assert nearest_others(features, k).tolist() == expected.tolist()


@settings(deadline=None, derandomize=True, max_examples=60)
@given(
    n=st.integers(2, 40),
    d=st.integers(1, 4),
    levels=st.integers(1, 4),
    k=st.integers(1, 8),
    seed=st.integers(0, 2**16),
)
def test_ties_go_to_the_earlier_row(n, d, levels, k, seed):
    features = np.random.default_rng(seed).integers(0, levels, (n, d)).astype(float)
    k = min(k, n - 1)
    expected = np.sort(slow_nearest_others(features, k), axis=1)
    assert nearest_others(features, k).tolist() == expected.tolist()


def test_blocks_change_nothing(monkeypatch):
    whole = {name: nearest_others(features, 5) for name, features in HARD.items()}
    monkeypatch.setattr(neighbors, "_TILE", 7)
    monkeypatch.setattr(row_blocks, "__defaults__", (8 * 80 * 7,))
    for name, features in HARD.items():
        assert (nearest_others(features, 5) == whole[name]).all(), name


def test_all_other_rows_when_k_is_as_large():
    nearest = nearest_others(CLOUD[:6], 5)
    assert [sorted(row) for row in nearest.tolist()] == [
        [j for j in range(6) if j != i] for i in range(6)
    ]
