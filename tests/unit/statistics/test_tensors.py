"""Tests of `transferscore.statistics.tensors`: the same as of arrays on the host."""

from __future__ import annotations

import re

import numpy as np
import pytest
import torch

from transferscore import statistics_of, tensor_statistics
from transferscore.errors import InputError
from transferscore.statistics import tensors

NAMES = ("mean", "scatter", "target_mean", "cross", "target_scatter", "norm_cubed", "norm_fourth")
DEVICES = ["cpu", pytest.param("cuda", marks=pytest.mark.gpu)]


def batches_of(task: str, dtype: torch.dtype, device: str):
    rng = np.random.default_rng(0)
    features = torch.from_numpy(rng.normal(size=(90, 7)) * np.logspace(0, 2, 7) + 1e3).to(dtype)
    labels = np.arange(90) % 4 if task == "classification" else rng.normal(size=(90, 2)) + 1e3
    cuts = [slice(0, 20), slice(20, 21), slice(21, 90)]
    return [(features[cut].to(device), labels[cut]) for cut in cuts]


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.float16, torch.bfloat16])
@pytest.mark.parametrize("task", ["classification", "regression"])
@pytest.mark.parametrize("least", [1, 50, 1000])
def test_equal_to_the_statistics_of_arrays(device, dtype, task, least, monkeypatch):
    monkeypatch.setattr(tensors, "_LEAST_ROWS", least)
    monkeypatch.setattr(tensors, "_ROWS_PER_FEATURE", 1)
    batches = batches_of(task, dtype, device)
    found = tensor_statistics(batches, task=task, sample_size=30, seed=5)
    on_host = [(features.double().cpu().numpy(), labels) for features, labels in batches]
    expected = statistics_of(on_host, task=task, sample_size=30, seed=5)
    for name in NAMES:
        wanted = getattr(expected.moments, name)
        np.testing.assert_allclose(
            getattr(found.moments, name), wanted, rtol=1e-9, atol=1e-9 * np.abs(wanted).max()
        )
    np.testing.assert_array_equal(found.sampled.features, expected.sampled.features)
    assert found.n_samples == 90


def test_labels_may_be_tensors_and_features_may_need_gradients():
    features = torch.randn(30, 4, requires_grad=True)
    labels = torch.arange(30) % 3
    found = tensor_statistics([(features, labels)])
    assert found.class_counts.tolist() == [10, 10, 10]


def test_a_constant_feature_stays_constant():
    features = torch.randn(50, 3)
    features[:, 1] = 0.1
    assert tensor_statistics([(features, np.arange(50) % 2)]).moments.scatter[1, 1] == 0.0


@pytest.mark.parametrize(
    ("features", "message"),
    [
        (torch.full((2, 3), torch.nan), "Batch 1: `features` must be finite; 2 of 2 rows have NaN"),
        (torch.ones(2), "Batch 1: `features` must have shape (n_samples, n_features); got (2,)."),
        (torch.ones(0, 3), "Batch 1: `features` must not be empty; got shape (0, 3)."),
        (torch.ones(2, 4), "All `features` must have the same width; got 3 and 4 in batch 1."),
    ],
)
def test_batches_that_do_not_fit_are_refused(features, message):
    with pytest.raises(InputError, match=f"^{re.escape(message)}"):
        tensor_statistics([(torch.randn(2, 3), [0, 1]), (features, [0, 1])])


def test_no_batch_and_a_negative_sample_are_refused():
    with pytest.raises(InputError, match="`batches` must hold at least one batch of rows"):
        tensor_statistics([])
    with pytest.raises(InputError, match="`sample_size` must not be negative; got -1"):
        tensor_statistics([(torch.randn(4, 2), [0, 1, 0, 1])], sample_size=-1)
