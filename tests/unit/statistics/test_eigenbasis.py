"""Tests of `transferscore.statistics.eigenbasis`: against a plain eigendecomposition."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.linalg import LinAlgError, eigh

from transferscore.statistics.eigenbasis import Eigenbasis


def symmetric(p: int, rank: int) -> np.ndarray:
    rows = np.random.default_rng(p).normal(size=(rank, p))
    return rows.T @ rows


@pytest.mark.parametrize("p", [1, 2, 3, 40, 300])
@pytest.mark.parametrize("scale", [1e-145, 1.0, 1e145])
@pytest.mark.parametrize("deficient", [False, True])
def test_values_and_vectors_are_those_of_a_plain_decomposition(p, scale, deficient):
    matrix = symmetric(p, max(1, p // 2) if deficient else 2 * p) * scale
    basis = Eigenbasis(matrix)
    size = np.trace(matrix)
    np.testing.assert_allclose(basis.values, eigh(matrix, eigvals_only=True), atol=1e-14 * size)
    columns = np.random.default_rng(0).normal(size=(p, 3))
    coordinates = basis.coordinates(columns)
    vectors = basis.vectors
    np.testing.assert_allclose(vectors.T @ vectors, np.eye(p), atol=1e-13)
    np.testing.assert_allclose(vectors * basis.values @ vectors.T, matrix, atol=1e-13 * size)
    np.testing.assert_allclose(coordinates, vectors.T @ columns, atol=1e-12)


def test_only_the_vectors_that_are_kept_are_made_in_their_order():
    matrix = symmetric(300, 600)
    every, some = Eigenbasis(matrix), Eigenbasis(matrix)
    some.kept = np.array([299, 7, 8])
    np.testing.assert_allclose(some.vectors, every.vectors[:, [299, 7, 8]], atol=1e-13)
    assert some.vectors is some.vectors


def test_zeros_have_zeros_for_values():
    basis = Eigenbasis(np.zeros((4, 4)))
    assert (basis.values == 0.0).all()
    np.testing.assert_allclose(basis.vectors @ basis.vectors.T, np.eye(4), atol=1e-15)


def test_the_matrix_is_left_as_it_was():
    matrix = np.asfortranarray(symmetric(5, 9))
    before = matrix.copy()
    assert Eigenbasis(matrix).vectors.shape == (5, 5)
    assert (matrix == before).all()


def test_numbers_that_are_not_finite_do_not_converge():
    with pytest.raises(LinAlgError, match="did not converge"):
        Eigenbasis(np.full((3, 3), np.inf))
