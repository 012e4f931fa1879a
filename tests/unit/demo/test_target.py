from __future__ import annotations

import numpy as np

from transferscore.datasets import read_dataset
from transferscore.demo.target import read_target, save_target


def test_forty_of_each_digit_are_labelled_and_the_rest_is_kept_aside():
    target = read_target(40, 0)
    digits, counts = np.unique(target.labels[target.labelled], return_counts=True)
    assert digits.tolist() == [5, 6, 7, 8, 9]
    assert counts.tolist() == [40] * 5
    assert int((~target.labelled).sum()) == 696


def test_labelled_and_tested_rows_share_no_image():
    target = read_target(40, 0)
    rows = np.array([image.tobytes() for image in target.images])
    assert not set(rows[target.labelled]) & set(rows[~target.labelled])


def test_the_seed_decides_who_is_labelled():
    first, same, other = (read_target(40, seed).labelled for seed in (0, 0, 1))
    np.testing.assert_array_equal(first, same)
    assert not np.array_equal(first, other)


def test_the_saved_target_is_read_as_its_labelled_rows(tmp_path):
    target = read_target(3, 0)
    save_target(target, tmp_path / "target.npz")
    dataset = read_dataset(tmp_path / "target.npz")
    assert dataset.split == "train"
    np.testing.assert_array_equal(np.stack(dataset.samples), target.images[target.labelled])
    names = np.array(dataset.class_names)[dataset.labels]
    assert names.tolist() == [str(label) for label in target.labels[target.labelled]]
