"""Tests of what the distances share."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from scipy.spatial.distance import cdist

from transferscore.distances.domain_classifier import area_under_curve, seeded_folds
from transferscore.distances.entropic import entropic_transport
from transferscore.distances.gaussian import gaussian_of
from transferscore.distances.kernel_means import unbiased_discrepancy
from transferscore.distances.pair import seeded_rows
from transferscore.distances.pairwise import distance_blocks, squared_distances
from transferscore.distances.prototypes import prototypes_of

RNG = np.random.default_rng(0)


def small_blocks(monkeypatch, module):
    """As if a few rows filled the memory."""
    from transferscore.statistics.rows import row_blocks

    monkeypatch.setattr(
        f"transferscore.distances.{module}.row_blocks", lambda n, d: row_blocks(n, d, 8 * 7 * d)
    )


@pytest.mark.parametrize("offset", [0.0, 1e3])
def test_squared_distances_keep_their_digits_for_close_rows(offset):
    a = RNG.normal(size=(30, 6)) + offset
    b = np.concatenate([a[:10], a[10:20] + 1e-7, RNG.normal(size=(5, 6)) + offset])
    np.testing.assert_allclose(squared_distances(a, b), cdist(a, b, "sqeuclidean"), rtol=1e-7)
    assert (np.diag(squared_distances(a, a)) == 0.0).all()


def test_blocks_are_the_whole(monkeypatch):
    a, b = RNG.normal(size=(23, 4)), RNG.normal(size=(9, 4))
    small_blocks(monkeypatch, "pairwise")
    small_blocks(monkeypatch, "kernel_means")
    blocks = list(distance_blocks(a, b))
    assert len(blocks) == 4
    whole = np.concatenate([block for _, block in blocks])
    np.testing.assert_allclose(whole, cdist(a, b, "sqeuclidean"), rtol=1e-12)
    kernel = unbiased_discrepancy(a, b, lambda x, y: x @ y.T)
    gap = a.mean(axis=0) - b.mean(axis=0)
    noise = np.var(a, axis=0, ddof=1).sum() / 23 + np.var(b, axis=0, ddof=1).sum() / 9
    assert kernel == pytest.approx(gap @ gap - noise)


@pytest.mark.parametrize(("n", "d"), [(50, 4), (4, 50), (8, 8), (1, 3), (30, 1)])
def test_gaussian_factor_is_the_covariance(monkeypatch, n, d):
    small_blocks(monkeypatch, "gaussian")
    x = RNG.normal(size=(n, d)).astype(np.float32) + 100
    found = gaussian_of(x)
    exact = x.astype(np.float64)
    assert found.factor.shape == (min(n, d), d)
    np.testing.assert_allclose(found.mean, exact.mean(axis=0), rtol=1e-14)
    expected = np.cov(exact, rowvar=False).reshape(d, d) if n > 1 else np.zeros((d, d))
    np.testing.assert_allclose(found.factor.T @ found.factor, expected, rtol=1e-9, atol=1e-12)
    assert found.trace == pytest.approx(np.trace(expected))


def test_prototypes_in_blocks(monkeypatch):
    small_blocks(monkeypatch, "prototypes")
    x, codes = RNG.normal(size=(40, 3)) + 1e6, np.arange(40) % 3
    found = prototypes_of(x, codes)
    means = np.array([x[codes == c].mean(axis=0) for c in range(3)])
    np.testing.assert_allclose(found.means, means, rtol=1e-15)
    assert found.counts.tolist() == [14, 13, 13]
    assert found.weights.sum() == pytest.approx(1.0)


def test_scalings_are_absorbed_before_they_overflow():
    """Costs of 1e5 times epsilon: the kernel of the plain iteration would be zero."""
    a, b = RNG.normal(size=(15, 2)), RNG.normal(size=(12, 2)) + 30.0
    cost = cdist(a, b, "sqeuclidean")
    found = entropic_transport(cost, 0.02, 100_000)
    assert found.marginal_error < 1e-10
    assert found.transport_cost == pytest.approx(_exact(cost), rel=1e-4)


def _exact(cost):
    from ot.lp import emd2

    return emd2([], [], cost)


def test_folds_hold_equal_shares_and_swap_with_the_sides():
    folds = seeded_folds(20, 35, 0)
    assert np.bincount(folds[:20]).tolist() == [4] * 5
    assert np.bincount(folds[20:]).tolist() == [7] * 5
    assert np.array_equal(seeded_folds(35, 20, 0), np.concatenate([folds[20:], folds[:20]]))


def test_rows_are_seeded():
    assert seeded_rows(10, 10, 3).tolist() == list(range(10))
    rows = seeded_rows(100, 30, 0)
    assert (np.diff(rows) > 0).all()
    assert len(rows) == 30
    assert not np.array_equal(rows, seeded_rows(100, 30, 1))


def test_area_under_curve_counts_ties_by_halves():
    assert area_under_curve(np.array([0.0, 1.0]), np.array([1.0, 2.0])) == 0.875


def test_importing_loads_nothing_heavy():
    script = (
        "import sys, transferscore.distances; "
        "print([m for m in ('ot', 'sklearn', 'torch', 'safetensors') if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout == "[]\n"
