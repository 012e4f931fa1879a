from __future__ import annotations

import hashlib

import numpy as np
import pytest

from transferscore.datasets import dataset_from_arrays
from transferscore.encoders import Encoding
from transferscore.errors import EncoderError, SampleError
from transferscore.features import Store, extract_features


class Lengths:
    """An encoder of texts: length and first letter. Fails as told, and counts what it does."""

    name = "lengths"

    def __init__(self, *, unreadable=(), largest=10**9, dies_after=None, version="1", logits=True):
        self.unreadable, self.largest, self.dies_after = set(unreadable), largest, dies_after
        self.version, self.logits = version, logits
        self.batches: list[int] = []
        self.refused = 0

    def digest(self):
        return hashlib.sha256(self.version.encode()).hexdigest()

    def cost(self, sample):
        return len(sample)

    def prepare(self, samples):
        for sample in samples:
            if sample in self.unreadable:
                raise SampleError(f"{sample!r} cannot be read.")
        return [[len(sample), ord(sample[0])] for sample in samples]

    def forward(self, batch):
        if len(batch) > self.largest:
            self.refused += 1
            raise MemoryError
        if self.dies_after is not None and len(self.batches) >= self.dies_after:
            raise KeyboardInterrupt
        self.batches.append(len(batch))
        features = np.array(batch, dtype=np.float32)
        return Encoding(features, features[:, ::-1].copy() if self.logits else None)

    def release(self):
        pass


@pytest.fixture
def texts():
    return [chr(97 + i % 26) * (1 + (i * 37) % 50) for i in range(600)]


@pytest.fixture
def dataset(texts):
    return dataset_from_arrays(texts, [len(t) % 2 for t in texts])


def expected(texts):
    return np.array([[len(t), ord(t[0])] for t in texts], dtype=np.float32)


def test_features_are_in_the_order_of_the_dataset(dataset, texts):
    features = extract_features(Lengths(), dataset)
    np.testing.assert_array_equal(features.values, expected(texts))
    np.testing.assert_array_equal(features.logits, expected(texts)[:, ::-1])
    assert features.kept.all()
    assert features.n_stored == 0


def test_like_lengths_share_a_batch(dataset, texts):
    seen = []
    encoder = Lengths()
    original = encoder.prepare
    encoder.prepare = lambda samples: seen.append([len(s) for s in samples]) or original(samples)
    extract_features(encoder, dataset)
    assert sum(max(batch) - min(batch) for batch in seen) <= 50


def test_a_second_run_extracts_nothing(dataset, texts, tmp_path):
    store = Store(tmp_path)
    extract_features(Lengths(), dataset, store=store)
    again = Lengths()
    features = extract_features(again, dataset, store=store)
    assert again.batches == []
    assert features.n_stored == 600
    np.testing.assert_array_equal(features.values, expected(texts))


def test_a_killed_run_goes_on_where_it_stopped(dataset, texts, tmp_path):
    store = Store(tmp_path)
    with pytest.raises(KeyboardInterrupt):
        extract_features(Lengths(dies_after=9), dataset, store=store, batch_size=32)
    second = Lengths()
    features = extract_features(second, dataset, store=store)
    assert features.n_stored == 256
    assert sum(second.batches) == 600 - 256
    np.testing.assert_array_equal(features.values, expected(texts))


def test_another_model_shares_nothing(dataset, tmp_path):
    store = Store(tmp_path)
    extract_features(Lengths(), dataset, store=store)
    assert extract_features(Lengths(version="2"), dataset, store=store).n_stored == 0


def test_unreadable_samples_are_named_and_left_out(dataset, texts, tmp_path):
    bad = {texts[5], texts[77]}
    rows = [i for i, text in enumerate(texts) if text in bad]
    for store in (None, Store(tmp_path), Store(tmp_path)):
        features = extract_features(Lengths(unreadable=bad), dataset, store=store)
        assert list(features.unreadable) == rows
        assert features.unreadable[5] == f"{texts[5]!r} cannot be read."
        np.testing.assert_array_equal(np.flatnonzero(~features.kept), rows)
        np.testing.assert_array_equal(features.values, np.delete(expected(texts), rows, axis=0))


def test_nothing_readable_is_an_error_with_the_first_reason(dataset, texts):
    with pytest.raises(EncoderError, match="None of the 600 samples could be read; the first: 'a'"):
        extract_features(Lengths(unreadable=texts), dataset)


def test_a_batch_too_large_for_memory_is_halved(dataset, texts):
    encoder = Lengths(largest=5)
    features = extract_features(encoder, dataset, batch_size=32)
    np.testing.assert_array_equal(features.values, expected(texts))
    assert max(encoder.batches) <= 5
    assert encoder.refused == 3  # 32, 16 and 8: later batches begin with what fits


def test_one_sample_too_large_for_memory_is_an_error(dataset):
    with pytest.raises(MemoryError):
        extract_features(Lengths(largest=0), dataset)


def test_a_model_that_gives_too_few_rows_is_told_so(dataset):
    encoder = Lengths()
    encoder.forward = lambda batch: Encoding(np.zeros((len(batch) - 1, 2), dtype=np.float32))
    with pytest.raises(
        EncoderError, match=r"features of shape \(32, n_features\) for 32 samples; got \(31, 2\)"
    ):
        extract_features(encoder, dataset, batch_size=32)


def test_progress_counts_every_sample_once(dataset, tmp_path):
    calls = []
    extract_features(Lengths(), dataset, on_progress=lambda *c: calls.append(c))
    assert calls[0] == (0, 0)
    assert calls[-1] == (600, 0)
    assert [done for done, _ in calls] == sorted(done for done, _ in calls)
