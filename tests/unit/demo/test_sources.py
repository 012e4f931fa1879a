from __future__ import annotations

import numpy as np
import pytest
from sklearn.datasets import load_digits

from transferscore.demo.sources import source_named
from transferscore.demo.strokes import STROKE_NAMES, draw_strokes
from transferscore.errors import UnknownNameError

CLASSES = {"digits-0-4": 5, "rotations": 4, "strokes": len(STROKE_NAMES)}


def rows_of(images):
    return {row.tobytes() for row in np.ascontiguousarray(images, dtype=np.float32)}


@pytest.mark.parametrize("name", CLASSES)
def test_images_are_what_the_networks_take(name):
    source = source_named(name, 300, 0)
    assert source.images.shape == (300, 1, 8, 8)
    assert source.images.dtype == np.float32
    assert source.labels.dtype == np.int64
    assert source.images.min() == 0.0
    assert 0.9 < source.images.max() <= 1.0
    assert set(source.labels.tolist()) == set(range(CLASSES[name]))
    assert source.n_classes == CLASSES[name]


@pytest.mark.parametrize("name", CLASSES)
def test_no_source_has_a_digit_of_the_target(name):
    digits = load_digits()
    target = rows_of(digits.images[digits.target >= 5] / 16.0)
    assert not rows_of(source_named(name, 3000, 0).images[:, 0]) & target


def test_low_digits_carry_their_own_labels():
    source = source_named("digits-0-4", 3000, 0)
    digits = load_digits()
    label_of = {
        row.tobytes(): label
        for row, label in zip((digits.images / 16.0).astype(np.float32), digits.target, strict=True)
    }
    assert len(source.labels) == 901
    assert [label_of[image.tobytes()] for image in source.images[:, 0]] == source.labels.tolist()


def test_the_seed_decides_the_images():
    first, same, other = (source_named("rotations", 20, seed).images for seed in (3, 3, 4))
    np.testing.assert_array_equal(first, same)
    assert not np.array_equal(first, other)


def test_an_unknown_source_is_named():
    message = "`name` must be one of digits-0-4, rotations, strokes; got 'cats'."
    with pytest.raises(UnknownNameError) as caught:
        source_named("cats", 10, 0)
    assert str(caught.value) == message


@pytest.mark.parametrize(("name", "axis"), [("horizontal", 0), ("vertical", 1)])
def test_a_straight_stroke_lies_along_its_axis(name, axis):
    images, kinds = draw_strokes(2000, 8, np.random.default_rng(0))
    profile = images[kinds == STROKE_NAMES.index(name)].mean(0)
    # The mean over many strokes is a bar: far more even along it than across it.
    assert profile.mean(axis).std() < profile.mean(1 - axis).std() / 2


def test_a_cup_is_open_at_the_top_and_a_cap_at_the_bottom():
    images, kinds = draw_strokes(2000, 8, np.random.default_rng(0))
    cup, cap = (images[kinds == STROKE_NAMES.index(name)].mean(0) for name in ("cup", "cap"))
    assert cup[5:, 3:5].mean() > 2 * cup[:3, 3:5].mean()
    assert cap[:3, 3:5].mean() > 2 * cap[5:, 3:5].mean()
