"""Tests of `transferscore.statistics.random_rows`: against rows that are drawn."""

from __future__ import annotations

import numpy as np
import pytest

from transferscore.statistics.random_rows import random_rows_log_det


@pytest.mark.parametrize(("n", "d"), [(300, 5), (300, 80), (100, 300)])
@pytest.mark.parametrize("share", [0.5, 0.1])
@pytest.mark.parametrize("weight", [1e-3, 1.0, 1e4])
def test_agrees_with_rows_drawn_at_random(n, d, share, weight):
    rng = np.random.default_rng(0)
    features = rng.normal(size=(n, d)) * np.logspace(0, -1, d)
    features -= features.mean(axis=0)
    eigenvalues = np.linalg.svd(features, compute_uv=False)[: min(n - 1, d)] ** 2
    m = round(share * n)
    drawn = []
    for _ in range(60):
        rows = features[rng.permutation(n)[:m]]
        gram = rows @ rows.T if m < d else rows.T @ rows
        drawn.append(np.linalg.slogdet(np.eye(len(gram)) + weight * gram)[1])
    expected = random_rows_log_det(eigenvalues, n, m, weight)
    assert expected == pytest.approx(np.mean(drawn), rel=0.02)


def test_features_that_do_not_vary_have_no_rate():
    assert random_rows_log_det(np.empty(0), 50, 10, 1.0) == 0.0
