"""Tests of `transferscore.statistics.spectrum`: both sides against a plain SVD."""

from __future__ import annotations

import numpy as np
import pytest

from tests.reference.inputs import INPUTS, class_input
from transferscore.statistics import Statistics, class_targets, moments
from transferscore.statistics.spectrum import spectrum_of_features, spectrum_of_moments


def both_sides(features, labels):
    targets = class_targets(labels, len(labels))
    one = moments(features, targets)
    return spectrum_of_moments(one), spectrum_of_features(features, one.mean, targets)


def plain_rank(features):
    centered = features - features.mean(axis=0)
    singular = np.linalg.svd(centered, compute_uv=False)
    return int(np.sum(singular > singular[0] * 1e-7))


@pytest.mark.parametrize("example", INPUTS, ids=lambda example: example.name)
def test_the_spectrum_is_that_of_a_plain_svd(example):
    features, columns = example.features, example.columns
    spectrum = Statistics(features, example.labels, task=example.task).spectrum
    mean = features.mean(axis=0)
    left, singular, right = np.linalg.svd(features - mean, full_matrices=False)
    r = plain_rank(features)
    assert spectrum.rank == r
    scale = singular[0] ** 2
    np.testing.assert_allclose(spectrum.eigenvalues, singular[:r] ** 2, atol=1e-12 * scale)
    # Vectors have free signs; with distinct eigenvalues all else is fixed.
    np.testing.assert_allclose(
        np.abs(spectrum.targets),
        np.abs(left[:, :r].T @ (columns - columns.mean(axis=0))),
        atol=1e-8 * np.abs(columns).max(),
    )
    np.testing.assert_allclose(
        np.abs(spectrum.mean), np.abs(right[:r] @ mean), atol=1e-8 * np.abs(mean).max()
    )
    outside = mean - right[:r].T @ (right[:r] @ mean)
    assert spectrum.mean_residual == pytest.approx(outside @ outside, abs=1e-12 * mean @ mean)


@pytest.mark.parametrize(("n", "d"), [(30, 5), (10, 25), (12, 12)])
def test_both_sides_agree(n, d):
    features, labels = class_input(n, d)
    by_features, by_samples = both_sides(features, labels)
    assert (by_features.side, by_samples.side) == ("features", "samples")
    np.testing.assert_allclose(by_features.eigenvalues, by_samples.eigenvalues, rtol=1e-10)
    signs = np.sign(np.sum(by_features.targets * by_samples.targets, axis=1))
    np.testing.assert_allclose(by_features.targets, signs[:, None] * by_samples.targets, atol=1e-9)
    np.testing.assert_allclose(by_features.mean, signs * by_samples.mean, atol=1e-9)
    assert by_features.mean_residual == pytest.approx(by_samples.mean_residual, abs=1e-9)


@pytest.mark.parametrize(("n", "d"), [(30, 5), (10, 25)])
def test_left_rows_are_orthonormal_and_rebuild_the_features(n, d):
    features, labels = class_input(n, d)
    mean = features.mean(axis=0)
    for spectrum in both_sides(features, labels):
        left = spectrum.left_rows(features, mean, slice(0, n))
        np.testing.assert_allclose(left.T @ left, np.eye(spectrum.rank), atol=1e-9)
        rebuilt = left @ (left.T @ (features - mean))
        np.testing.assert_allclose(rebuilt, features - mean, atol=1e-9)
        part = spectrum.left_rows(features, mean, slice(2, 5))
        np.testing.assert_allclose(part, left[2:5], atol=1e-12)


def test_the_side_is_the_cheaper_one():
    tall, wide = class_input(12, 11), class_input(11, 12)
    assert Statistics(*tall).spectrum.side == "features"
    assert Statistics(*wide).spectrum.side == "samples"


@pytest.mark.parametrize("n", [50, 5000])
@pytest.mark.parametrize("d", [1, 4, 80])
@pytest.mark.parametrize("constant", [0.0, 0.1, 1e8 + 0.1])
def test_constant_features_have_no_rank(n, d, constant):
    statistics = Statistics(np.full((n, d), constant), np.arange(n) % 2)
    assert statistics.spectrum.rank == 0
    assert statistics.spectrum.mean_residual == pytest.approx(d * constant**2)


@pytest.mark.parametrize("constant", [0.1, 1e8 + 0.1])
@pytest.mark.parametrize(("n", "d"), [(2000, 5), (20, 30)])
def test_a_constant_feature_adds_no_rank(n, d, constant):
    features, labels = class_input(n, d)
    rank = Statistics(features, labels).spectrum.rank
    with_constant = np.hstack([features, np.full((n, 1), constant)])
    assert Statistics(with_constant, labels).spectrum.rank == rank == min(d, n - 1)


@pytest.mark.parametrize(("n", "d", "rank"), [(60, 20, 3), (20, 60, 3), (20, 60, 19), (5, 5, 4)])
@pytest.mark.parametrize("offset", [0.0, 1e4])
def test_the_rank_of_low_rank_data(n, d, rank, offset):
    rng = np.random.default_rng(0)
    features = rng.normal(size=(n, rank)) @ rng.normal(size=(rank, d)) + offset
    assert Statistics(features, np.arange(n) % 2).spectrum.rank == rank


def test_rows_that_differ_in_one_sample_have_rank_one():
    features = np.zeros((10, 4))
    features[3] = 1.0
    assert Statistics(features, np.arange(10) % 2).spectrum.rank == 1


@pytest.mark.parametrize("n", [20, 60])
@pytest.mark.parametrize("seed", range(5))
def test_a_mean_within_the_features_leaves_no_residual(n, seed):
    rng = np.random.default_rng(seed)
    features = (rng.normal(size=(n, 3)) + 5.0) @ rng.normal(size=(3, 40))
    assert Statistics(features, np.arange(n) % 2).spectrum.mean_residual == 0.0


@pytest.mark.parametrize("seed", range(5))
def test_centred_rows_never_have_full_rank(seed):
    """Far from the origin the rounding of the mean alone would give one direction more."""
    features = np.random.default_rng(seed).normal(size=(6, 3000)) * 1e-3 + 1e7
    assert Statistics(features, np.arange(6) % 2).spectrum.rank == 5
