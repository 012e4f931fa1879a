"""Tests of `transferscore.statistics.rows`."""

from __future__ import annotations

import re

import numpy as np
import pytest

from transferscore.errors import InputError
from transferscore.statistics.rows import check_features, feature_mean, row_blocks


@pytest.mark.parametrize(
    ("n_rows", "n_columns", "block_bytes", "sizes"),
    [
        (10, 1, 32, [4, 4, 2]),
        (8, 1, 32, [4, 4]),
        (3, 1, 1000, [3]),
        (3, 100, 8, [1, 1, 1]),
        (2, 0, 8, [1, 1]),
        (0, 5, 8, []),
    ],
)
def test_blocks_cover_all_rows_once(n_rows, n_columns, block_bytes, sizes):
    blocks = list(row_blocks(n_rows, n_columns, block_bytes))
    assert [block.stop - block.start for block in blocks] == sizes
    assert [i for block in blocks for i in range(n_rows)[block]] == list(range(n_rows))


def test_floating_arrays_are_not_copied():
    features = np.ones((3, 2), dtype=np.float32)
    features.flags.writeable = False
    assert check_features(features) is features


@pytest.mark.parametrize(
    ("dtype", "becomes"),
    [
        (np.bool_, np.float32),
        (np.uint8, np.float32),
        (np.int16, np.float32),
        (np.int32, np.float64),
        (np.int64, np.float64),
        (np.float16, np.float32),
        (np.float32, np.float32),
        (np.float64, np.float64),
        (np.longdouble, np.float64),
        (np.dtype(">f4"), np.float64),
    ],
)
def test_every_number_becomes_a_float_that_holds_it(dtype, becomes):
    features = np.array([[0, 1], [1, 1]]).astype(dtype)
    checked = check_features(features)
    assert checked.dtype == becomes
    assert checked.tolist() == [[0.0, 1.0], [1.0, 1.0]]


@pytest.mark.parametrize(
    ("features", "message"),
    [
        (np.zeros(3), "`features` must have shape (n_samples, n_features); got (3,)."),
        (
            np.zeros((2, 2, 2)),
            "`features` must have shape (n_samples, n_features); got (2, 2, 2).",
        ),
        (np.zeros((0, 3)), "`features` must not be empty; got shape (0, 3)."),
        (np.zeros((3, 0)), "`features` must not be empty; got shape (3, 0)."),
        ([["a", "b"]], "`features` must be real numbers; got dtype <U1."),
        (np.zeros((2, 2), complex), "`features` must be real numbers; got dtype complex128."),
        (
            [[1.0, np.nan], [1.0, 2.0], [np.inf, 0.0]],
            "`features` must be finite; 2 of 3 rows have NaN or infinite entries, "
            "the first is row 0.",
        ),
        (
            [[1.0, 2.0], [1.0, -np.inf]],
            "`features` must be finite; 1 of 2 rows have NaN or infinite entries, "
            "the first is row 1.",
        ),
        (
            [[1.0, 2.0], [-3e150, 0.0]],
            "`features` must be of a size between 1e-70 and 1e+70; the largest entry is 3e+150. "
            "Rescale them all by one factor.",
        ),
        (
            [[1e-150, 0.0]],
            "`features` must be of a size between 1e-70 and 1e+70; the largest entry is 1e-150. "
            "Rescale them all by one factor.",
        ),
    ],
)
def test_what_cannot_be_scored_is_refused(features, message):
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        check_features(features)


def test_ragged_rows_are_refused():
    with pytest.raises(InputError, match=r"^`features` cannot be read as an array: setting an arr"):
        check_features([[1.0, 2.0], [3.0]])


def test_a_tensor_with_gradient_is_refused_with_the_way_out():
    torch = pytest.importorskip("torch")
    with pytest.raises(InputError, match=r"^`features` cannot be read .* tensor\.detach\(\)"):
        check_features(torch.ones((2, 2), requires_grad=True))


def test_the_message_names_what_was_checked():
    with pytest.raises(InputError, match=r"^`source_probabilities` must have shape"):
        check_features([1.0], "source_probabilities")


@pytest.mark.parametrize("constant", [0.1, 1e8 + 0.1, -1 / 3])
def test_the_mean_of_a_constant_feature_is_that_constant(constant):
    features = np.full((10_000, 3), constant)
    assert (feature_mean(features) == constant).all()


def test_the_mean_keeps_a_small_spread_far_from_zero():
    small = np.random.default_rng(0).integers(-4, 5, (1000, 3)).astype(float)
    np.testing.assert_allclose(feature_mean(small + 1e12) - 1e12, small.mean(axis=0), atol=1e-4)


def test_the_mean_is_taken_in_float64():
    features = np.full((100_000, 1), 0.1, dtype=np.float32)
    assert feature_mean(features)[0] == np.float64(np.float32(0.1))
