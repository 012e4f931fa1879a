"""Tests of `transferscore.statistics.principal`."""

from __future__ import annotations

import numpy as np
import pytest

from tests.reference.inputs import class_input
from transferscore.statistics import Statistics
from transferscore.statistics.principal import n_components_holding, principal_coordinates
from transferscore.statistics.rows import row_blocks


@pytest.mark.parametrize("blocks", [None, 8 * 7 * 50])
@pytest.mark.parametrize(("n", "d", "k"), [(40, 6, 3), (40, 6, 9), (14, 30, 5), (14, 30, 20)])
def test_agrees_with_a_singular_value_decomposition(n, d, k, blocks, monkeypatch):
    if blocks:
        monkeypatch.setattr(row_blocks, "__defaults__", (blocks,))
    features, labels = class_input(n, d)
    centered = features - features.mean(axis=0)
    k_kept = min(k, d, n - 1)
    right = np.linalg.svd(centered)[2][:k_kept]
    right *= np.sign(right[np.arange(k_kept), np.abs(right).argmax(axis=1)])[:, None]
    found = principal_coordinates(Statistics(features, labels), k)
    assert found == pytest.approx(centered @ right.T, abs=1e-9)


@pytest.mark.parametrize(("share", "expected"), [(0.5, 2), (0.49, 1), (0.8, 3), (0.999, 4)])
def test_how_many_hold_a_share(share, expected):
    # Pairs of opposite points on each axis: variances of 5, 2, 2 and 1 tenths.
    features = np.repeat(np.diag(np.sqrt([5.0, 2.0, 2.0, 1.0])), 2, axis=0)
    features[::2] *= -1.0
    spectrum = Statistics(features, np.arange(8) % 2).spectrum
    assert n_components_holding(spectrum, share) == expected


def test_features_that_do_not_vary_have_no_component():
    statistics = Statistics(np.ones((5, 3)), [0, 1, 0, 1, 0])
    assert n_components_holding(statistics.spectrum, 0.8) == 0
    assert principal_coordinates(statistics, 2).shape == (5, 0)
