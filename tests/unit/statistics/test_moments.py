"""Tests of `transferscore.statistics.moments`: against plain sums, in any split and any order."""

from __future__ import annotations

import re
from dataclasses import fields
from functools import reduce

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from transferscore.errors import InputError
from transferscore.statistics import class_targets, merge_moments, moments, real_targets
from transferscore.statistics.rows import row_blocks

REPEATABLE = settings(deadline=None, derandomize=True, max_examples=60)


def naive(features, columns):
    """Two plain passes, one row at a time."""
    n = len(features)
    mean, target_mean = features.sum(axis=0) / n, columns.sum(axis=0) / n
    rows, targets = features - mean, columns - target_mean
    squares = [float(row @ row) for row in rows]
    return {
        "count": n,
        "mean": mean,
        "scatter": sum(np.outer(row, row) for row in rows),
        "target_mean": target_mean,
        "cross": sum(np.outer(row, target) for row, target in zip(rows, targets, strict=True)),
        "target_scatter": sum(np.outer(target, target) for target in targets),
        "norm_cubed": sum(square * row for square, row in zip(squares, rows, strict=True)),
        "norm_fourth": sum(square**2 for square in squares),
    }


def assert_agree(computed, features, columns, rtol=1e-10):
    """Each moment to `rtol` of the size that its sum of absolute terms has."""
    centered = np.abs(features - features.mean(axis=0))
    targets = np.abs(columns - columns.mean(axis=0))
    lengths = np.sum(centered**2, axis=1)
    sizes = {
        "count": 0.0,
        "mean": np.abs(features).max(axis=0) + centered.max(axis=0),
        "scatter": centered.T @ centered,
        "target_mean": np.abs(columns).max(axis=0),
        "cross": centered.T @ targets,
        "target_scatter": targets.T @ targets,
        "norm_cubed": lengths @ centered,
        "norm_fourth": lengths @ lengths,
    }
    for name, expected in naive(features, columns).items():
        gap = np.abs(getattr(computed, name) - expected)
        assert (gap <= rtol * (sizes[name] + np.max(sizes[name]) * 1e-6)).all(), name


def sample(n, d, seed, offset=0.0, spread=0.0):
    rng = np.random.default_rng(seed)
    scales = 10.0 ** rng.uniform(-spread, spread, d)
    return rng.normal(size=(n, d)) * scales + offset, rng.integers(0, 3, n)


@pytest.mark.parametrize(("n", "d"), [(2, 1), (5, 3), (3, 7), (40, 12)])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_one_pass_agrees_with_plain_sums(n, d, dtype):
    features, _ = sample(n, d, seed=n)
    features = features.astype(dtype)
    labels = np.arange(n) % 2
    computed = moments(features, class_targets(labels, n))
    assert_agree(computed, features.astype(np.float64), np.eye(2)[labels])
    assert all(
        getattr(computed, field.name).dtype == np.float64
        for field in fields(computed)
        if isinstance(getattr(computed, field.name), np.ndarray)
    )


def test_real_valued_targets():
    features, _ = sample(30, 4, seed=1)
    columns = np.random.default_rng(2).normal(size=(30, 2)) * [1.0, 1e4] + 1e3
    assert_agree(moments(features, real_targets(columns, 30)), features, columns)


def test_blocks_change_nothing(monkeypatch):
    features, labels = sample(50, 6, seed=3)
    targets = class_targets(labels, 50)
    monkeypatch.setattr(row_blocks, "__defaults__", (8 * 6 * 7,))
    assert_agree(moments(features, targets), features, np.eye(3)[labels])
    numbers = real_targets(features[:, :2], 50)
    assert_agree(moments(features, numbers), features, features[:, :2])


def test_the_scatter_of_many_features_is_symmetric():
    features, labels = sample(20, 1100, seed=4)
    scatter = moments(features, class_targets(labels, 20)).scatter
    centered = features - features.mean(axis=0)
    assert (scatter == scatter.T).all()
    np.testing.assert_allclose(scatter, centered.T @ centered, atol=1e-11)


@REPEATABLE
@given(
    sizes=st.lists(st.integers(1, 9), min_size=2, max_size=6),
    d=st.integers(1, 5),
    offset=st.sampled_from([0.0, 1.0, -1e6, 1e6]),
    spread=st.sampled_from([0.0, 2.0]),
    seed=st.integers(0, 2**16),
    data=st.data(),
)
def test_any_split_in_any_order_gives_the_same(sizes, d, offset, spread, seed, data):
    n = sum(sizes)
    # Of one scale where the offset is large: a split then loses digits that the whole has as well.
    features, labels = sample(n, d, seed, offset, spread if abs(offset) < 1e6 else 0.0)
    # All three classes must be columns of every part, whichever it shows.
    targets = class_targets(np.append(labels, [0, 1, 2]), n + 3).take(np.arange(n))
    rows = np.split(np.random.default_rng(seed).permutation(n), np.cumsum(sizes)[:-1])
    parts = [moments(features[part], targets.take(part)) for part in rows]
    order = data.draw(st.permutations(parts))
    rtol = 1e-10 if abs(offset) < 1e6 else 1e-9
    assert_agree(reduce(merge_moments, order), features, np.eye(3)[labels], rtol)
    pairs = [reduce(merge_moments, order[i : i + 2]) for i in range(0, len(order), 2)]
    assert_agree(reduce(merge_moments, pairs), features, np.eye(3)[labels], rtol)


@REPEATABLE
@given(cut=st.integers(1, 39), seed=st.integers(0, 99))
def test_real_valued_targets_merge(cut, seed):
    features, _ = sample(40, 3, seed, offset=5.0)
    columns = features[:, :2] ** 2 + 100.0
    targets = real_targets(columns, 40)
    parts = [np.arange(cut), np.arange(cut, 40)]
    a, b = (moments(features[rows], targets.take(rows)) for rows in parts)
    assert_agree(merge_moments(a, b), features, columns)


def test_constant_features_have_no_scatter_in_any_split():
    features, targets = np.full((1000, 2), 0.1), class_targets(np.arange(1000) % 2, 1000)
    whole = moments(features, targets)
    halves = [moments(features[r], targets.take(r)) for r in np.split(np.arange(1000), [300])]
    for computed in (whole, merge_moments(*halves)):
        assert (computed.scatter == 0.0).all()
        assert (computed.cross == 0.0).all()
        assert computed.mean.tolist() == [0.1, 0.1]
        assert computed.norm_fourth == 0.0


def test_moments_about_the_mean_do_not_change_far_from_the_origin():
    rng = np.random.default_rng(5)
    features = rng.integers(-8, 9, (200, 3)).astype(float)
    targets = class_targets(rng.integers(0, 3, 200), 200)
    near, far = moments(features, targets), moments(features + 2.0**27, targets)
    for name in ("scatter", "cross", "norm_fourth"):
        np.testing.assert_allclose(getattr(far, name), getattr(near, name), rtol=1e-10, atol=1e-9)


def test_moments_of_other_shapes_do_not_merge():
    features = np.arange(12.0).reshape(4, 3)
    a = moments(features, class_targets([0, 1, 0, 1], 4))
    b = moments(features[:, :2], class_targets([0, 1, 2, 1], 4))
    message = (
        "Only moments of the same features and targets can be merged; got shapes (3, 2) and (2, 3) "
        "(n_features, n_targets)."
    )
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        merge_moments(a, b)


@pytest.mark.parametrize("layout", ["F", "strided", "read-only", "mapped"])
def test_any_memory_layout(layout, tmp_path):
    features, labels = sample(30, 4, seed=6)
    targets = class_targets(labels, 30)
    given = features
    if layout == "F":
        given = np.asfortranarray(features)
    elif layout == "strided":
        wide = np.zeros((60, 8))
        wide[::2, ::-2] = features
        given = wide[::2, ::-2]
    elif layout == "read-only":
        given = features.copy()
        given.flags.writeable = False
    else:
        np.save(tmp_path / "features.npy", features)
        given = np.load(tmp_path / "features.npy", mmap_mode="r")
    before = np.array(given)
    assert_agree(moments(given, targets), features, np.eye(3)[labels], rtol=1e-13)
    assert (np.asarray(given) == before).all()
