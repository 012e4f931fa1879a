"""Tests of limits: how they are written, which are broken, and what would have to change."""

from __future__ import annotations

import pytest

from transferscore.errors import InputError, UnknownNameError
from transferscore.strategies.devices import DEVICES, device_named, stated_device
from transferscore.strategies.limits import (
    NO_LIMITS,
    Breach,
    Limits,
    breaches,
    changes_needed,
    parse_limits,
)


def test_limits_are_read_with_their_units():
    limits = parse_limits(
        {
            "max_gpu_memory": "24GB",
            "max_train_time": "2h",
            "max_cost": "5",
            "price_per_hour": 2.5,
            "train_device": None,
        }
    )
    assert limits == Limits(24 * 10**9, 7200.0, 5.0, 2.5)
    assert limits.is_set
    assert limits.to_dict()["max_train_time"] == 7200.0


def test_no_limits_at_all():
    assert parse_limits(None) is NO_LIMITS
    assert parse_limits({}) == NO_LIMITS
    assert not NO_LIMITS.is_set
    assert parse_limits(NO_LIMITS) is NO_LIMITS
    # A price alone forbids nothing.
    assert not parse_limits({"price_per_hour": 1}).is_set


@pytest.mark.parametrize(
    ("limits", "error", "sentence"),
    [
        ({"max_cost": 5}, InputError, "`max_cost` must come with `price_per_hour`"),
        ({"max_memory": "1GB"}, UnknownNameError, "no limit named 'max_memory'; the limits are"),
        ({"train_device": "abacus"}, UnknownNameError, "must be one of t4, .*; got 'abacus'"),
        ({"device_memory": "8GB"}, InputError, "must come with `device_flops` or `train_device`"),
        ({"max_train_time": "2"}, InputError, "a time with its unit"),
        ("24GB", InputError, "must be a mapping with any of max_gpu_memory.*; got str"),
    ],
)
def test_limits_that_cannot_be_read(limits, error, sentence):
    with pytest.raises(error, match=sentence):
        parse_limits(limits)


def test_each_broken_limit_is_named():
    limits = Limits(max_gpu_memory=1000, max_train_time=10.0, max_cost=1.0, price_per_hour=3600.0)
    broken = breaches(limits, train_seconds=20.0, train_memory_bytes=1000, money=20.0)
    assert [breach.limit for breach in broken] == ["max_train_time", "max_cost"]
    assert [breach.excess for breach in broken] == [2.0, 20.0]
    assert breaches(limits, train_seconds=10.0, train_memory_bytes=999, money=1.0) == ()


def test_money_that_nobody_knows_breaks_nothing():
    limits = Limits(max_gpu_memory=1000)
    assert breaches(limits, train_seconds=1e9, train_memory_bytes=1, money=None) == ()


def test_the_memory_of_the_stated_device_is_a_limit():
    limits = parse_limits({"train_device": "T4"})
    assert limits.is_set
    (breach,) = breaches(limits, train_seconds=1, train_memory_bytes=17 * 2**30, money=None)
    assert breach.limit == "device_memory"
    assert breach.allowed == 16 * 2**30


def test_what_would_have_to_change_is_said_in_the_units_of_the_limit():
    broken = (Breach("max_gpu_memory", 2.1e9, 1e9), Breach("max_cost", 7.5, 5.0))
    assert changes_needed(broken) == (
        "max_gpu_memory of 2.1 GB (now 1 GB) and max_cost of 7.5 (now 5)"
    )
    assert changes_needed((Breach("max_train_time", 7200, 60),)) == (
        "max_train_time of 2 h (now 60 s)"
    )


@pytest.mark.parametrize("name", DEVICES)
def test_a_device_of_the_table_has_its_figures_and_where_they_come_from(name):
    device = device_named(name.upper())
    assert device.flops > 1e13
    assert device.memory_bytes >= 16 * 2**30
    assert device.bandwidth > 1e11
    assert device.source


def test_a_stated_figure_overrides_the_table():
    device = stated_device("a100-80gb", device_memory="40GB")
    assert device.flops == 312e12
    assert device.memory_bytes == 40 * 10**9
    own = stated_device(device_flops="10TFLOPS")
    assert (own.flops, own.memory_bytes, own.source) == (1e13, None, "the caller")
    assert stated_device() is None
