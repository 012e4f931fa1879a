"""Tests of `transferscore.statistics.discriminant`."""

from __future__ import annotations

import re

import numpy as np
import pytest
from scipy.stats import multivariate_normal

from transferscore.statistics.discriminant import (
    discriminant,
    positive_definite,
    shrunk,
    softmax,
)

RNG = np.random.default_rng(0)
MEANS = RNG.normal(size=(3, 4))
COVARIANCE = np.cov(RNG.normal(size=(4, 50)))
COUNTS = np.array([5.0, 3.0, 2.0])


def test_posteriors_are_those_of_the_densities():
    rows = RNG.normal(size=(20, 4))
    densities = np.array([multivariate_normal(mean, COVARIANCE).pdf(rows) for mean in MEANS])
    expected = (COUNTS * densities.T) / (COUNTS @ densities)[:, None]
    fitted = discriminant(MEANS, COVARIANCE, COUNTS, 1.0)
    np.testing.assert_allclose(fitted.posteriors(rows), expected, rtol=1e-10)


def test_a_class_of_no_weight_has_no_posterior():
    fitted = discriminant(MEANS, COVARIANCE, np.array([1.0, 0.0, 1.0]), 1.0)
    posteriors = fitted.posteriors(RNG.normal(size=(5, 4)))
    assert (posteriors[:, 1] == 0.0).all()
    np.testing.assert_allclose(posteriors.sum(axis=1), 1.0)


@pytest.mark.parametrize("width", [0, 4])
def test_rows_that_do_not_vary_leave_the_weights(width):
    fitted = discriminant(np.zeros((3, width)), np.zeros((width, width)), COUNTS, 0.0)
    np.testing.assert_allclose(fitted.posteriors(np.zeros((2, width))), [[0.5, 0.3, 0.2]] * 2)


def test_shrinkage_is_towards_the_mean_over_all_features():
    whole = shrunk(np.diag([4.0, 2.0, 0.0]), 0.5, 3)
    np.testing.assert_array_equal(whole, np.diag([3.0, 2.0, 1.0]))
    np.testing.assert_array_equal(shrunk(np.diag([4.0, 2.0]), 0.5, 3), whole[:2, :2])


@pytest.mark.parametrize(("noise", "share"), [(0.0, "1e-12"), (-1e-11, "1e-10"), (-5e-9, "1e-08")])
def test_a_singular_covariance_is_raised_by_a_stated_amount(noise, share):
    message = (
        "The features do not vary within the classes along some direction. A variance of "
        f"{2 * float(share):.3g} was added along each, {share} of their mean variance."
    )
    with pytest.warns(RuntimeWarning, match=f"^{re.escape(message)}$"):
        raised, _ = positive_definite(np.diag([1.0, noise]), 2.0)
    np.testing.assert_allclose(raised[0, 0], 1.0 + 2 * float(share), rtol=1e-12)


def test_a_regular_covariance_is_left_alone():
    assert positive_definite(COVARIANCE, 1.0)[0] is COVARIANCE


def test_a_matrix_that_is_no_covariance_is_refused():
    message = "The within-class covariance is not positive: it is no covariance."
    with pytest.raises(np.linalg.LinAlgError, match=f"^{re.escape(message)}$"):
        positive_definite(np.diag([1.0, -1.0]), 1.0)


def test_softmax_of_large_numbers():
    np.testing.assert_allclose(softmax(np.array([[1e4, 1e4, -1e4]])), [[0.5, 0.5, 0.0]])
