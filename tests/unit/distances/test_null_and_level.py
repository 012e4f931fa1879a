"""Tests of `transferscore.distances.null` and `transferscore.distances.level`."""

from __future__ import annotations

import numpy as np
import pytest

from tests.reference.distance_inputs import sample_pair
from transferscore.distances import DISTANCES, level_of, permutation_null
from transferscore.distances.level import _level
from transferscore.errors import InputError

RNG = np.random.default_rng(0)
SAME = (RNG.normal(size=(300, 8)), RNG.normal(size=(300, 8)))


@pytest.mark.parametrize("name", [n for n in DISTANCES if n != "proxy_a"])
def test_samples_that_differ_stand_above_their_null(name):
    pair = sample_pair(40, 40, 5)
    labels = (pair.source_labels, pair.target_labels)
    null = permutation_null(name, pair.source, 2.0 * pair.target, 19, labels=labels)
    assert len(null.null) == 19
    assert null.n_rows == 40
    assert null.p_value == 1 / 20
    assert null.value > null.quantile(0.95)
    assert null.deviations > 2.0


@pytest.mark.parametrize("name", ["mmd", "energy", "frechet", "kid"])
def test_the_null_holds_its_level(name):
    """Over 60 draws of one distribution the p-values are spread evenly."""
    draws = np.random.default_rng(1).normal(size=(60, 2, 12, 3))
    p_values = [permutation_null(name, *draw, 19).p_value for draw in draws]
    assert 0.35 < np.mean(p_values) < 0.7
    assert np.mean(np.array(p_values) <= 0.1) < 0.25


def test_the_null_is_seeded_and_takes_the_same_number_of_either_side():
    a, b = SAME[0][:50], SAME[1]
    first, again, other = (permutation_null("energy", a, b, 10, seed) for seed in (0, 0, 1))
    assert first.n_rows == 50
    assert np.array_equal(first.null, again.null)
    assert not np.array_equal(first.null, other.null)
    assert (np.diff(first.null) >= 0.0).all()


def test_a_null_without_spread():
    null = permutation_null("energy", np.ones((4, 2)), np.ones((4, 2)), 5)
    assert (null.value, null.deviations, null.p_value) == (0.0, 0.0, 1.0)


def test_no_permutations_are_refused():
    with pytest.raises(InputError, match=r"^`n_permutations` must be at least 1; got 0\.$"):
        permutation_null("energy", *SAME, 0)


@pytest.mark.parametrize("n", [2, 5, 12, 40, 300])
@pytest.mark.parametrize("d", [1, 8, 200])
def test_one_distribution_is_low(n, d):
    draws = np.random.default_rng(n + d).normal(size=(12, 2, n, d))
    found = [level_of(*draw) for draw in draws]
    # One in twenty passes the null by chance, where the rows are too few to show a small effect.
    assert sum(level.level == "low" for level in found) >= (12 if n > 40 else 10)
    assert {level.n_rows for level in found} == {n}


def test_a_sample_and_itself_are_low():
    found = level_of(SAME[0], SAME[0])
    assert found.level == "low"
    assert found.separability == pytest.approx(0.5, abs=1e-12)


@pytest.mark.parametrize(
    ("shift", "level"), [(0.1, "low"), (0.5, "moderate"), (1.0, "high"), (3.0, "very high")]
)
def test_levels_follow_the_shift(shift, level):
    assert level_of(SAME[0], SAME[1] + shift).level == level


def test_neither_unit_nor_origin_nor_rotation_nor_sides_matter():
    a, b = SAME[0], SAME[1] * 1.2 + 0.6
    rotation = np.linalg.qr(RNG.normal(size=(8, 8)))[0]
    expected = level_of(a, b)
    for x, y in ((a @ rotation, b @ rotation), (a * 1e6 + 1e3, b * 1e6 + 1e3), (b, a)):
        found = level_of(x, y)
        assert found.level == expected.level
        assert found.effect == pytest.approx(expected.effect, rel=1e-8)
        assert found.separability == pytest.approx(expected.separability, abs=0.01)


def test_the_effect_does_not_depend_on_the_number_of_rows():
    draws = np.random.default_rng(5)
    effects = [
        np.mean([level_of(*_shifted(draws, n)).effect for _ in range(10)]) for n in (10, 40, 160)
    ]
    assert effects[0] == pytest.approx(effects[2], rel=0.15)
    assert effects[1] == pytest.approx(effects[2], rel=0.1)


def _shifted(draws, n):
    return draws.normal(size=(n, 5)), draws.normal(size=(n, 5)) + 0.8


def test_a_difference_that_only_the_classifier_sees_is_moderate():
    a, b = SAME[0] * 100.0, SAME[1] * 100.0
    a[:, 0], b[:, 0] = SAME[0][:, 0] * 0.01, SAME[1][:, 0] * 0.01 + 1.0
    found = level_of(a, b)
    assert found.separability > 0.99
    assert found.effect < 0.02
    assert found.level == "moderate"


@pytest.mark.parametrize(
    ("separability", "effect", "level"),
    [
        (0.64, 0.5, "low"),
        (0.65, 0.02, "moderate"),
        (0.99, 0.1199, "moderate"),
        (0.8999, 0.5, "moderate"),
        (0.9, 0.12, "high"),
        (0.9799, 0.5, "high"),
        (0.98, 0.25, "very high"),
        (0.8999, 0.0, "low"),
        (0.9, 0.0, "moderate"),
    ],
)
def test_thresholds(separability, effect, level):
    assert _level(separability, effect, 100) == level


def test_few_rows_do_not_make_a_classifier_sure():
    assert _level(0.94, 0.0, 8) == "low"
    assert _level(0.94, 0.0, 9) == "moderate"


def test_reads_as_a_sentence():
    text = str(level_of([[0], [1], [2], [3]], [[7], [8], [9], [6]]))
    assert text.startswith("very high (a classifier tells the two apart with AUC 1.00; effect 0.7")
    assert text.endswith("; 4 rows a side)")


def test_one_row_is_refused():
    message = "^The distance level needs at least two rows on each side; `source_features` has one"
    with pytest.raises(InputError, match=message):
        level_of([[1.0]], SAME[0][:, :1])
