"""Tests of what one training step is measured to take."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from transferscore.strategies import STRATEGIES, batch_norm
from transferscore.strategies import step as step_module
from transferscore.strategies.batch_norm import batch_statistics
from transferscore.strategies.batches import epoch_batches
from transferscore.strategies.flops import flops_of
from transferscore.strategies.live_bytes import usage_of
from transferscore.strategies.step import Workload, profile_step, typical_batches


@pytest.fixture
def work(rows):
    return Workload(list(rows[0]), [1] * 120, n_outputs=3, batch_size=32)


def test_flops_of_a_linear_layer_there_and_back():
    layer, rows = nn.Linear(10, 7), torch.randn(4, 10, requires_grad=True)
    forward = 2 * 4 * 10 * 7
    assert flops_of(lambda: layer(rows)) == forward
    assert flops_of(lambda: layer(rows).sum().backward()) == 3 * forward


@pytest.mark.parametrize("groups", [1, 4, 8])
def test_a_grouped_convolution_goes_back_at_the_price_of_its_groups(groups):
    layer = nn.Conv2d(8, 8, 3, padding=1, groups=groups)
    images = torch.randn(2, 8, 5, 5, requires_grad=True)
    forward = 2 * 2 * 25 * 9 * 8 * 8 // groups
    assert flops_of(lambda: layer(images)) == forward
    assert flops_of(lambda: layer(images).sum().backward()) == 3 * forward


def test_attention_is_counted_on_a_cpu():
    q = torch.randn(2, 4, 16, 8, requires_grad=True)
    attend = torch.nn.functional.scaled_dot_product_attention
    products = 2 * (2 * 2 * 4 * 16 * 16 * 8)
    assert flops_of(lambda: attend(q, q, q)) == products
    assert flops_of(lambda: attend(q, q, q).sum().backward()) == 3 * products


def test_a_convolution_of_a_cpu_copies_its_input_and_output_meanwhile():
    image, kernel = torch.zeros(2, 3, 32, 32), torch.zeros(8, 3, 3, 3)
    usage = usage_of(lambda: nn.functional.conv2d(image, kernel))
    assert usage.peak_bytes == image.nbytes + 2 * 8 * 30 * 30 * 4


def test_live_bytes_come_and_go():
    start = torch.zeros(1000)

    def run():
        first = start + 1  # 4,000 bytes, gone after the next line
        first = first * 2  # 4,000 more while both live
        return first[:10].view(2, 5)  # a view makes nothing

    usage = usage_of(run)
    assert usage.peak_bytes == 8000
    assert usage.n_operations >= 4


def test_what_autograd_keeps_stays_alive():
    weight = torch.ones(1000, requires_grad=True)
    kept = []
    tracked = usage_of(lambda: kept.append(weight.sin().sin().sin()))
    with torch.no_grad():
        untracked = usage_of(lambda: weight.sin().sin().sin())
    assert tracked.peak_bytes == 12000
    assert untracked.peak_bytes == 8000


def test_batches_stand_for_an_epoch():
    rng = np.random.default_rng(0)
    lengths = rng.integers(5, 200, size=400)
    batches = typical_batches(lengths, 16, seed=1)
    assert [len(rows) for rows in batches] == [16, 16, 16]
    assert all(len(set(rows)) == 16 for rows in batches)
    longest = [lengths[rows].max() for rows in batches]
    assert longest == sorted(longest)
    epochs = [part for _ in range(80) for part in epoch_batches(lengths, np.arange(400), 16, rng)]
    expected = np.mean([lengths[rows].max() for rows in epochs])
    assert np.mean(longest) == pytest.approx(expected, rel=0.05)
    for first, second in zip(batches, typical_batches(lengths, 16, seed=1), strict=True):
        assert np.array_equal(first, second)


def test_an_epoch_has_every_row_once_and_pads_little():
    rng = np.random.default_rng(0)
    lengths = rng.integers(5, 200, size=333)
    parts = epoch_batches(lengths, np.arange(333), 16, rng)
    assert sorted(np.concatenate(parts)) == list(range(333))
    assert {len(part) for part in parts} <= {13, 14, 15, 16}
    padded = sum(len(part) * lengths[part].max() for part in parts)
    assert padded < 1.25 * lengths.sum()


def test_fewer_samples_than_a_batch_are_one_batch():
    assert [sorted(rows) for rows in typical_batches([1, 1, 1], 32, seed=0)] == [[0, 1, 2]] * 3


def test_a_profile_of_full_fine_tuning_counts_everything(load, work):
    profile = profile_step(load, STRATEGIES["full"], work)
    inner = 6 * 16 + 16 + 16 * 16 + 16 + 4 * 16
    head = 16 * 3 + 3
    assert profile.trains_model
    assert profile.n_parameters == inner + 16 * 4 + 4
    assert profile.n_trainable == inner + head
    assert profile.trainable_bytes == 4 * (inner + head)
    # Forward: two layers, the classifier that is cut off, the head.
    assert profile.forward_flops == 2 * (6 * 16 + 16 * 16 + 16 * 4 + 16 * 3)
    assert profile.step_flops > 2 * profile.forward_flops
    assert profile.step_seconds > profile.forward_seconds > 0
    assert profile.load_seconds > 0
    assert profile.batch_size == 30


@pytest.mark.parametrize(("name", "entered"), [("full", False), ("scratch", True)])
def test_steps_from_scratch_are_timed_with_the_norms_on_their_batches(
    load, work, monkeypatch, name, entered
):
    norms = []

    def noted():
        norms.append(name)
        return batch_statistics()

    monkeypatch.setattr(batch_norm, "batch_statistics", noted)
    profile_step(load, STRATEGIES[name], work)
    assert bool(norms) == entered


def test_a_probe_trains_the_head_alone(load, work):
    profile = profile_step(load, STRATEGIES["linear_probe"], work)
    assert not profile.trains_model
    assert profile.n_trainable == 16 * 3 + 3
    assert profile.step_seconds == 0.0
    assert profile.forward_seconds > 0.0


def test_frozen_layers_keep_no_activations(load, work):
    full = profile_step(load, STRATEGIES["full"], work)
    partial = profile_step(load, STRATEGIES["partial"], work)
    assert partial.activation_bytes < full.activation_bytes
    assert partial.n_trainable < full.n_trainable
    assert partial.weight_bytes == full.weight_bytes


def test_lora_needs_few_trained_bytes_and_more_operations(load, work):
    pytest.importorskip("peft")
    full = profile_step(load, STRATEGIES["full"], work)
    lora = profile_step(load, STRATEGIES["lora"], work)
    assert lora.n_parameters == full.n_parameters
    assert lora.forward_flops > full.forward_flops


def test_a_batch_that_does_not_fit_is_halved(load, work, monkeypatch):
    sizes = []
    forward = step_module._Trial.forward

    def small_memory(trial, batch):
        sizes.append(len(batch))
        if len(batch) > 10:
            raise RuntimeError("CUDA out of memory. Tried to allocate")
        forward(trial, batch)

    monkeypatch.setattr(step_module._Trial, "forward", small_memory)
    profile = profile_step(load, STRATEGIES["full"], work)
    assert profile.batch_size == 8
    assert {4, 30, 15, 8} == set(sizes)


def test_another_error_is_not_taken_for_want_of_memory(load, work, monkeypatch):
    def broken(trial, batch):
        if len(batch) > 10:
            raise RuntimeError("a shape does not match")

    monkeypatch.setattr(step_module._Trial, "forward", broken)
    with pytest.raises(RuntimeError, match="a shape does not match"):
        profile_step(load, STRATEGIES["full"], work)
