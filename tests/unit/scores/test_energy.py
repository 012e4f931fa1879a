"""Tests of `transferscore.scores.energy`."""

from __future__ import annotations

import re

import numpy as np
import pytest

from tests.reference.energy import energy as slow_energy
from transferscore.errors import InputError
from transferscore.scores.energy import energy
from transferscore.statistics.rows import row_blocks

RNG = np.random.default_rng(0)
FEATURES, LABELS = RNG.normal(size=(450, 6)), np.arange(450) % 3
LOGITS = 3 * RNG.normal(size=(450, 11))


@pytest.mark.parametrize(("share", "n_lowest"), [(0.005, 2), (0.001, 1), (0.5, 225), (1.0, 450)])
def test_agrees_with_one_sample_at_a_time(share, n_lowest):
    value = energy(FEATURES, LABELS, share=share)
    assert value == pytest.approx(slow_energy(FEATURES, n_lowest), rel=1e-12)


def test_logits_are_read_where_they_are_given():
    value = energy(FEATURES, LABELS, source_logits=LOGITS)
    assert value == pytest.approx(slow_energy(LOGITS, 2), rel=1e-12)


def test_labels_are_not_read():
    assert energy(FEATURES, LABELS[::-1]) == energy(FEATURES, LABELS)
    assert energy(FEATURES, LABELS + 0.5, task="regression") == energy(FEATURES, LABELS)


def test_one_unfamiliar_sample_in_two_hundred_is_all_that_counts():
    logits = np.full((200, 4), 10.0)
    logits[17] = -3.0
    expected = -3.0 + np.log(4.0)
    assert energy(FEATURES[:200], LABELS[:200], source_logits=logits) == pytest.approx(expected)


def test_blocks_change_nothing(monkeypatch):
    whole = energy(FEATURES, LABELS)
    monkeypatch.setattr(row_blocks, "__defaults__", (8 * 6 * 7,))
    assert energy(FEATURES, LABELS) == whole


@pytest.mark.parametrize("size", [-1e4, 1e4])
def test_large_logits_do_not_overflow(size):
    expected = size + np.log(6.0)
    assert energy(np.full((20, 6), size), np.arange(20) % 2) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("share", [0.0, -0.1, 1.5, np.nan])
def test_a_share_that_is_none_is_refused(share):
    message = f"`share` must be above 0 and at most 1; got {share}."
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        energy(FEATURES, LABELS, share=share)


def test_logits_of_other_samples_are_refused():
    message = "`source_logits` must have one row per row of `features` (450); got 449."
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        energy(FEATURES, LABELS, source_logits=LOGITS[1:])


def test_logarithms_of_probabilities_hold_no_energy():
    logs = (LOGITS - np.log(np.exp(LOGITS).sum(axis=1, keepdims=True))).astype(np.float32)
    with pytest.warns(RuntimeWarning, match="Energy is 0 for every sample: the logits are log"):
        assert energy(FEATURES, LABELS, source_logits=logs) == pytest.approx(0.0, abs=1e-6)
