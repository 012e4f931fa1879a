"""Tests of the arithmetic of cost: seconds, bytes, money."""

from __future__ import annotations

import dataclasses

import pytest

from transferscore.strategies.cost import Schedule, cost_of, memory_bytes, training_seconds
from transferscore.strategies.devices import Device
from transferscore.strategies.limits import NO_LIMITS, Limits
from transferscore.strategies.step import StepProfile

STEP = StepProfile(
    device="cpu",
    trains_model=True,
    batch_size=32,
    n_parameters=1_000_000,
    n_trainable=1_000_000,
    weight_bytes=4_000_000,
    trainable_bytes=4_000_000,
    activation_bytes=500_000.0,
    forward_flops=1e8,
    step_flops=3e8,
    n_operations=1000,
    forward_seconds=0.01,
    step_seconds=1.0,
    prepare_seconds=0.002,
    head_seconds=0.5,
    load_seconds=0.25,
)
PROBE = dataclasses.replace(
    STEP, trains_model=False, n_trainable=100, trainable_bytes=400, step_seconds=0.0
)
SCHEDULE = Schedule(
    n_samples=400, batch_size=32, epochs=10, n_rates=3, search_epochs=4, held_out_share=0.25
)
PROBE_SCHEDULE = Schedule(400, 32)


def test_seconds_are_a_search_and_a_run():
    # 10 epochs of all, and of three rates 4 epochs of three quarters.
    assert SCHEDULE.n_trained == 10 * 400 + 3 * 4 * 300
    # Features of 300 for the search's head, 4 looks at 100 for each rate; of all for the run's
    # head, and two looks at all.
    assert SCHEDULE.n_encoded == 300 + 3 * 4 * 100 + 3 * 400
    assert SCHEDULE.n_heads == 1 + 0.75
    assert training_seconds(STEP, SCHEDULE, None) == pytest.approx(
        0.25 + 400 * 0.002 + 1.75 * 0.5 + 2700 * 0.01 + 7600 * 1.0 / 32
    )


def test_a_probe_is_one_pass_and_a_head():
    assert training_seconds(PROBE, PROBE_SCHEDULE, None) == pytest.approx(0.25 + 400 * 0.012 + 0.5)


def test_a_step_timed_on_a_smaller_batch_is_scaled():
    halved = dataclasses.replace(STEP, batch_size=16, step_seconds=0.5)
    assert training_seconds(halved, SCHEDULE, None) == training_seconds(STEP, SCHEDULE, None)


def test_a_trained_weight_takes_sixteen_bytes_where_activations_are_small():
    step = dataclasses.replace(STEP, activation_bytes=0.0)
    assert memory_bytes(step, 32, mixed=False) == 16 * 1_000_000


def test_activations_take_the_place_of_gradients_where_they_are_more():
    assert memory_bytes(STEP, 32, mixed=False) == 4_000_000 + 8_000_000 + 32 * 500_000
    assert memory_bytes(STEP, 1, mixed=False) == 4_000_000 + 8_000_000 + 4_000_000


def test_mixed_precision_halves_activations_and_copies_weights():
    assert memory_bytes(STEP, 32, mixed=True) == 6_000_000 + 8_000_000 + 16 * 500_000


def test_a_probe_has_no_optimiser():
    assert memory_bytes(PROBE, 32, mixed=False) == 4_000_000 + 32 * 500_000


def test_money_is_time_at_its_price():
    cost = cost_of(STEP, SCHEDULE, Limits(price_per_hour=3600.0))
    assert cost.money == pytest.approx(cost.train_seconds)
    assert cost.fits
    assert cost.breaks == ()
    assert cost.device == "this machine's CPU"
    assert cost_of(STEP, SCHEDULE, NO_LIMITS).money is None


def test_broken_limits_are_named_with_their_numbers():
    cost = cost_of(STEP, SCHEDULE, Limits(max_gpu_memory=1_000_000, max_train_time=1e6))
    assert not cost.fits
    assert cost.breaks == ("max_gpu_memory",)
    document = cost.to_dict()
    assert document["breaks"] == ("max_gpu_memory",)
    assert document["breaches"][0]["needs"] == cost.train_memory_bytes


@pytest.mark.parametrize(
    ("device", "per_step"),
    [
        (Device("slow", 1e9, None, None, "mixed", "test"), 3e8 * 32 / 0.4e9),
        (Device("fast", 1e18, None, None, "mixed", "test"), 1000 * 1e-5),
        (Device("narrow", 1e18, None, 1e6, "mixed", "test"), 4 * 0.5 * 500_000 * 32 / 1e6),
    ],
)
def test_a_stated_device_computes_moves_or_launches(device, per_step):
    """With one epoch more, a run takes as much longer as an epoch's steps."""
    once, twice = (training_seconds(STEP, Schedule(320, 32, epochs), device) for epochs in (1, 2))
    assert twice - once == pytest.approx(10 * per_step)
    cost = cost_of(STEP, SCHEDULE, Limits(device=device))
    assert cost.device == device.name
    assert cost.basis == "stated figures: test"


def test_a_stated_device_may_be_too_small():
    device = Device("small", 1e12, 10_000_000, None, "mixed", "test")
    assert cost_of(STEP, SCHEDULE, Limits(device=device)).breaks == ("device_memory",)
