"""Tests of `transferscore.statistics.coordinates`."""

from __future__ import annotations

import numpy as np
import pytest

from tests.reference.inputs import class_input
from transferscore.statistics import Statistics
from transferscore.statistics.coordinates import (
    centered_rows,
    class_means,
    class_sums,
    ones_direction,
    squared_norms,
    total_scatter,
    within_scatter,
)

BOTH_SIDES = pytest.mark.parametrize("shape", [(40, 6), (14, 30)], ids=["n > d", "n < d"])


@BOTH_SIDES
def test_coordinates_are_a_rotation_of_the_features(shape):
    features, labels = class_input(*shape)
    statistics, centered = Statistics(features, labels), features - features.mean(axis=0)
    rows = centered_rows(statistics, slice(None))
    assert rows.shape[1] <= min(shape)
    np.testing.assert_allclose(rows @ rows.T, centered @ centered.T, atol=1e-9)
    np.testing.assert_allclose(rows @ ones_direction(statistics), centered.sum(axis=1), atol=1e-9)
    picked = np.array([5, 2, 2])
    np.testing.assert_allclose(centered_rows(statistics, picked), rows[picked], atol=1e-12)


@BOTH_SIDES
def test_class_moments_are_those_of_the_coordinates(shape):
    statistics = Statistics(*class_input(*shape))
    rows, codes = centered_rows(statistics, slice(None)), statistics.targets.class_codes()
    means = np.array([rows[codes == c].mean(axis=0) for c in range(3)])
    np.testing.assert_allclose(class_means(statistics), means, atol=1e-9)
    np.testing.assert_allclose(total_scatter(statistics), rows.T @ rows, atol=1e-8)
    residuals = rows - means[codes]
    np.testing.assert_allclose(within_scatter(statistics), residuals.T @ residuals, atol=1e-8)
    np.testing.assert_allclose(squared_norms(statistics), np.sum(rows**2, axis=1), rtol=1e-9)


def test_sums_of_classes_of_which_one_is_absent():
    sums = class_sums(np.array([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]), np.array([2, 0, 2]), 3)
    np.testing.assert_array_equal(sums, [[3.0, 4.0], [0.0, 0.0], [6.0, 8.0]])
