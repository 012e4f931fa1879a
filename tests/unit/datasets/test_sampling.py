from __future__ import annotations

import hashlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from transferscore.datasets import (
    Dataset,
    ImageSample,
    dataset_from_arrays,
    drop_rows,
    read_dataset,
    sample_dataset,
    sample_digests,
)
from transferscore.errors import DatasetError

sizes = st.lists(st.integers(2, 60), min_size=2, max_size=12)


def with_classes(counts: list[int], seed: int = 0) -> Dataset:
    """A dataset with these class sizes, its rows shuffled; each row holds its number."""
    labels = np.random.default_rng(seed).permutation(np.repeat(np.arange(len(counts)), counts))
    rows = np.arange(len(labels), dtype=np.float64)[:, None]
    return dataset_from_arrays(rows, labels)


class TestSampleDataset:
    @given(sizes, st.data())
    def test_every_class_keeps_its_floor_and_the_total_is_met(self, counts, data):
        dataset = with_classes(counts)
        total = data.draw(st.integers(2 * len(counts), sum(counts)))
        sample = sample_dataset(dataset, total, seed=0)
        drawn = np.bincount(sample.labels, minlength=len(counts))
        assert len(sample) == total
        assert (drawn <= counts).all()
        fits = [f for f in range(2, 6) if np.minimum(counts, f).sum() <= total]
        assert (drawn >= np.minimum(counts, max(fits))).all()

    @given(sizes, st.data())
    def test_larger_classes_keep_at_least_as_many_rows(self, counts, data):
        total = data.draw(st.integers(2 * len(counts), sum(counts)))
        sample = sample_dataset(with_classes(counts), total, seed=0)
        drawn = np.bincount(sample.labels, minlength=len(counts))
        order = np.argsort(counts, kind="stable")
        assert (np.diff(drawn[order]) >= -1).all()

    @given(sizes, st.integers(0, 2**32 - 1))
    def test_the_order_of_rows_is_kept_and_rows_name_their_place(self, counts, seed):
        dataset = with_classes(counts)
        sample = sample_dataset(dataset, 2 * len(counts), seed=seed)
        assert (np.diff(sample.rows) > 0).all()
        np.testing.assert_array_equal(sample.samples[:, 0], sample.rows)
        np.testing.assert_array_equal(sample.labels, dataset.labels[sample.rows])

    def test_the_same_seed_draws_the_same_rows_and_another_seed_does_not(self):
        dataset = with_classes([50, 50, 50])
        first, again, other = (sample_dataset(dataset, 60, seed=seed).rows for seed in (1, 1, 2))
        np.testing.assert_array_equal(first, again)
        assert (first != other).any()

    def test_shares_are_kept(self):
        sample = sample_dataset(with_classes([400, 300, 200, 100]), 100, seed=0)
        assert np.bincount(sample.labels).tolist() == [40, 30, 20, 10]

    def test_a_rare_class_is_lifted_to_the_floor_at_the_cost_of_the_others(self):
        sample = sample_dataset(with_classes([600, 300, 10]), 65, seed=0)
        assert np.bincount(sample.labels).tolist() == [40, 20, 5]

    def test_the_floor_gives_way_when_the_total_is_small(self):
        sample = sample_dataset(with_classes([100, 10, 10]), 10, seed=0)
        assert np.bincount(sample.labels).tolist() == [4, 3, 3]

    def test_every_row_is_as_likely_as_another(self):
        dataset = with_classes([40, 40])
        hits = np.zeros(80)
        for seed in range(400):
            hits[sample_dataset(dataset, 20, seed=seed).rows] += 1
        assert abs(hits - 100).max() < 45  # 5 standard deviations

    @pytest.mark.parametrize("max_samples", [None, 20, 1000])
    def test_enough_room_changes_nothing(self, max_samples):
        dataset = with_classes([10, 10])
        assert sample_dataset(dataset, max_samples, seed=0) is dataset

    def test_too_few_for_two_of_each_class(self):
        with pytest.raises(DatasetError) as error:
            sample_dataset(with_classes([10] * 10), 19, seed=0)
        assert str(error.value) == (
            "`max_samples` must be at least 20, two for each of the 10 classes; got 19."
        )

    def test_regression_is_drawn_uniformly(self):
        dataset = dataset_from_arrays(np.arange(50.0)[:, None], np.arange(50) / 7)
        sample = sample_dataset(dataset, 10, seed=0)
        assert len(sample) == 10
        np.testing.assert_array_equal(sample.labels, sample.rows / 7)
        with pytest.raises(DatasetError) as error:
            sample_dataset(dataset, 1, seed=0)
        assert str(error.value) == "`max_samples` must be at least 2; got 1."

    def test_multilabel_keeps_its_rows_together(self):
        labels = np.random.default_rng(0).integers(0, 2, (50, 3))
        dataset = dataset_from_arrays(np.arange(50.0)[:, None], labels)
        sample = sample_dataset(dataset, 10, seed=0)
        np.testing.assert_array_equal(sample.labels, labels[sample.rows])

    def test_lists_of_samples(self):
        dataset = dataset_from_arrays([str(row) for row in range(40)], [0, 1] * 20)
        sample = sample_dataset(dataset, 10, seed=3)
        assert sample.samples == tuple(str(row) for row in sample.rows)

    def test_the_zoo(self, zoo):
        dataset = read_dataset(zoo / "datasets/image/cifar10.zip")
        sample = sample_dataset(dataset, 500, seed=0)
        assert (len(sample), sample.n_source_rows, sample.split) == (500, 2000, "train")
        assert abs(np.bincount(sample.labels) - 50).max() <= 5


class TestDropRows:
    def test_rows_go_with_a_reason(self):
        dataset = with_classes([3, 3])
        keep = np.array([True, True, False, True, True, True])
        kept = drop_rows(dataset, keep, "cannot be read", ["images/2.jpg"])
        assert kept.rows.tolist() == [0, 1, 3, 4, 5]
        assert [str(exclusion) for exclusion in kept.exclusions] == [
            "1 row left out: cannot be read (images/2.jpg)"
        ]

    def test_a_class_with_one_sample_left_goes_and_the_others_are_renumbered(self):
        dataset = dataset_from_arrays(np.eye(7), list("aabbccc"))
        kept = drop_rows(dataset, np.arange(7) != 1, "cannot be read")
        assert kept.class_names == ("b", "c")
        assert (kept.labels.tolist(), kept.rows.tolist()) == ([0, 0, 1, 1, 1], [2, 3, 4, 5, 6])
        assert [str(exclusion) for exclusion in kept.exclusions] == [
            "1 row left out: cannot be read",
            "1 row left out: the only sample of a class ('a')",
        ]

    def test_a_class_without_samples_is_gone(self):
        dataset = dataset_from_arrays(np.eye(6), list("aabbcc"))
        kept = drop_rows(dataset, np.array([1, 1, 0, 0, 1, 1], dtype=bool), "cannot be read")
        assert (kept.class_names, kept.labels.tolist()) == (("a", "c"), [0, 0, 1, 1])
        assert len(kept.exclusions) == 1

    def test_nothing_to_drop(self):
        dataset = with_classes([3, 3])
        assert drop_rows(dataset, np.ones(6, dtype=bool), "cannot be read") is dataset

    def test_one_class_left(self):
        dataset = dataset_from_arrays(np.eye(4), list("aabb"), name="mine")
        with pytest.raises(DatasetError) as error:
            drop_rows(dataset, np.array([1, 1, 0, 1], dtype=bool), "cannot be read", ["row 2"])
        assert str(error.value) == (
            "`mine` has one class only ('a'); ranking needs at least two. "
            "1 row left out: cannot be read (row 2). "
            "1 row left out: the only sample of a class ('b')."
        )

    def test_no_row_left(self):
        dataset = dataset_from_arrays(np.eye(3), [0.5, 1, 2], name="mine")
        with pytest.raises(DatasetError) as error:
            drop_rows(dataset, np.zeros(3, dtype=bool), "cannot be read")
        assert str(error.value) == ("`mine` has no usable rows. 3 rows left out: cannot be read.")

    @pytest.mark.parametrize(
        ("mask", "got"),
        [(np.ones(3, dtype=bool), "bool of shape (3,)"), (np.ones(4), "float64 of shape (4,)")],
    )
    def test_a_mask_that_does_not_fit(self, mask, got):
        with pytest.raises(DatasetError) as error:
            drop_rows(with_classes([2, 2]), mask, "cannot be read")
        assert str(error.value) == f"`keep_mask` must be a bool array of shape (4,); got {got}."


class TestSampleDigests:
    def test_equal_samples_have_equal_digests(self, zoo):
        path = zoo / "datasets/image/flowers5.zip"
        first, again = (sample_digests(read_dataset(path)) for _ in range(2))
        assert first == again
        assert len(set(first)) == 1050
        assert all(len(digest) == 64 for digest in first)

    def test_a_text_is_its_utf8(self):
        dataset = dataset_from_arrays(["ä", "b", "ä", ""], [0, 1, 1, 0])
        digests = sample_digests(dataset)
        assert digests[0] == digests[2] == hashlib.sha256(b"text\0" + "ä".encode()).hexdigest()
        assert len(set(digests)) == 3

    def test_half_a_surrogate_pair_has_a_digest(self):
        dataset = dataset_from_arrays(["\ud800", "b", "c", "d"], [0, 1, 1, 0])
        assert len(set(sample_digests(dataset))) == 4

    def test_rows_tell_dtype_and_shape(self):
        X = np.arange(8).reshape(2, 4)
        kinds = [X, X.astype(np.int32), X.astype(float), X.reshape(2, 2, 2), X + 1, X.astype(">i8")]
        found = [sample_digests(dataset_from_arrays(kind, [0.5, 1])) for kind in kinds]
        assert len({digests[0] for digests in found}) == len(kinds)
        assert sample_digests(dataset_from_arrays(np.asfortranarray(X), [0.5, 1])) == found[0]

    def test_an_image_is_the_bytes_of_its_file(self, encoded):
        content = encoded()
        images = [ImageSample.from_bytes(content, name) for name in "ab"]
        others = [ImageSample.from_bytes(content + b"\0", "a"), ImageSample.from_bytes(b"x")]
        digests = sample_digests(dataset_from_arrays(images + others, [0, 1, 1, 0]))
        assert digests[0] == digests[1]
        assert len(set(digests)) == 3
