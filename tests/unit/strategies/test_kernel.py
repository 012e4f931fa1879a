import numpy as np
import pytest

from transferscore.strategies.kernel import (
    best_mixture,
    gram,
    leave_one_out,
    subset_losses,
    unit_kernel,
)


def fitted_without(kernel, targets, row, penalty):
    """Ridge with an intercept on all rows but one, by the bordered system."""
    keep = np.arange(len(kernel)) != row
    n = keep.sum()
    system = np.ones((n + 1, n + 1))
    system[:n, :n] = kernel[np.ix_(keep, keep)] + penalty * np.eye(n)
    system[n, n] = 0.0
    solved = np.linalg.solve(system, np.vstack([targets[keep], np.zeros(targets.shape[1])]))
    return kernel[row, keep] @ solved[:n] + solved[n]


@pytest.mark.parametrize("d", [3, 60])
def test_leave_one_out_is_what_refitting_gives(d):
    rng = np.random.default_rng(0)
    kernel = gram(rng.normal(size=(20, d)) + 5.0)
    targets = np.eye(3)[rng.integers(0, 3, 20)]
    penalties = np.array([0.01, 1.0])
    scale = np.trace(unit_kernel(kernel))
    closed = leave_one_out(unit_kernel(kernel), targets, penalties)
    # The rows as they are, not centred: the intercept is what centring stands for.
    means = kernel.mean(axis=0)
    variance = np.trace(kernel - means - means[:, None] + means.mean()) / 20
    assert scale == pytest.approx(20.0)
    for p, penalty in enumerate(penalties):
        for row in range(20):
            slow = fitted_without(kernel / variance, targets, row, penalty)
            assert closed[p, row] == pytest.approx(slow, rel=1e-6, abs=1e-8)


def test_labels_do_not_leak_through_centring():
    rng = np.random.default_rng(0)
    targets = np.eye(2)[rng.integers(0, 2, 200)]
    noise = unit_kernel(gram(rng.normal(size=(200, 1000))))
    assert 0.38 < best_mixture(noise, noise, targets).value < 0.62


def test_tangents_that_tell_the_classes_are_preferred():
    rng = np.random.default_rng(0)
    codes = rng.integers(0, 2, 120)
    noise = unit_kernel(gram(rng.normal(size=(120, 5))))
    telling = unit_kernel(gram(rng.normal(size=(120, 5)) + 4.0 * codes[:, None]))
    fit = best_mixture(noise, telling, np.eye(2)[codes])
    assert fit.share >= 0.75
    assert fit.value > 0.95
    assert best_mixture(noise, None, np.eye(2)[codes]).share == 0.0


def test_fewer_rows_lose_more():
    rng = np.random.default_rng(0)
    codes = rng.integers(0, 3, 200)
    centres = rng.normal(size=(3, 20))
    rows = unit_kernel(gram(rng.normal(size=(200, 20)) + centres[codes]))
    targets = np.eye(3)[codes]
    fit = best_mixture(rows, None, targets)
    losses = [subset_losses(fit, targets, size, 0).mean() for size in (15, 50, 150)]
    assert losses[0] > losses[1] > losses[2]
    assert np.array_equal(subset_losses(fit, targets, 50, 0), subset_losses(fit, targets, 50, 0))
