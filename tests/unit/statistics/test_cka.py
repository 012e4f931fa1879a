"""Tests of `transferscore.statistics.cka`."""

from __future__ import annotations

import re

import numpy as np
import pytest

from tests.reference.cka import cka as slow_cka
from transferscore.errors import InputError
from transferscore.statistics.cka import cka
from transferscore.statistics.rows import row_blocks

RNG = np.random.default_rng(0)
A = RNG.normal(size=(20, 5)) + 2.0
WIDE = A @ RNG.normal(size=(5, 40)) + RNG.normal(size=(20, 40))


@pytest.mark.parametrize("debiased", [True, False])
@pytest.mark.parametrize("pair", [(A, WIDE), (WIDE, A), (WIDE, WIDE[:, ::-1] ** 2), (A, A[:, :1])])
def test_agrees_with_the_kernels(pair, debiased):
    expected = slow_cka(*pair, debiased)
    assert cka(*pair, debiased=debiased) == pytest.approx(expected, rel=1e-8)


def test_blocks_change_nothing(monkeypatch):
    whole = cka(WIDE, WIDE**2)
    monkeypatch.setattr(row_blocks, "__defaults__", (8 * 40 * 3,))
    assert cka(WIDE, WIDE**2) == pytest.approx(whole, rel=1e-12)


@pytest.mark.parametrize("debiased", [True, False])
@pytest.mark.parametrize("scale", [1e-60, 1.0, 1e60])
def test_rotation_scale_and_shift_change_nothing(debiased, scale):
    rotation = np.linalg.qr(RNG.normal(size=(5, 5)))[0]
    value = cka(A, A @ rotation * scale + 3.0 * scale, debiased=debiased)
    assert value == pytest.approx(1.0, rel=1e-9)


@pytest.mark.parametrize("d", [3, 60, 300])
def test_unrelated_features_stand_at_zero(d):
    rng = np.random.default_rng(d)
    values = [cka(rng.normal(size=(60, d)), rng.normal(size=(60, d))) for _ in range(30)]
    assert abs(np.mean(values)) < 4 * np.std(values) / np.sqrt(len(values))


def test_constant_features():
    flat = np.full((20, 3), 0.1)
    assert cka(A, flat, debiased=False) == 0.0
    with pytest.warns(RuntimeWarning, match="^Debiased CKA is undefined and was set to 0: "):
        assert cka(A, flat) == 0.0


@pytest.mark.parametrize(
    ("pair", "message"),
    [
        ((A, A[:19]), "`features_b` must have one row per row of `features` (20); got 19."),
        ((A, A[:, 0]), "`features_b` must have shape (n_samples, n_features); got (20,)."),
        ((A[:3], A[:3]), "Debiased CKA needs at least 4 samples; got 3. Pass debiased=False."),
    ],
)
def test_what_cannot_be_compared(pair, message):
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        cka(*pair)
