"""Tests of sizes, times and rates as people write them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transferscore.errors import InputError
from transferscore.strategies.units import (
    bytes_text,
    count_text,
    parse_bytes,
    parse_flops,
    parse_number,
    parse_seconds,
    seconds_text,
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("24GB", 24 * 10**9),
        ("24 GiB", 24 * 2**30),
        ("512mib", 512 * 2**20),
        ("1.5kB", 1500),
        ("7b", 7),
        (1000, 1000),
        (2.0e9, 2 * 10**9),
    ],
)
def test_bytes(text, expected):
    assert parse_bytes(text, "max_gpu_memory") == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [("2h", 7200), ("1h30m", 5400), ("90 min", 5400), ("10s", 10), ("1.5d", 129600), (30, 30)],
)
def test_seconds(text, expected):
    assert parse_seconds(text, "budget") == expected


@pytest.mark.parametrize(
    "text", ["312TFLOPS", "312 tflop/s", "0.312PFLOPS", "312000 GFLOPS", 312e12]
)
def test_rates(text):
    assert parse_flops(text, "device_flops") == pytest.approx(312e12)


@pytest.mark.parametrize(
    "text", ["24", "", "GB", "-1GB", "0GB", "24 bananas", "1e9GB", "nan", "24GB!", 0, -3, "９GB x"]
)
def test_what_is_no_size_says_what_one_looks_like(text):
    with pytest.raises(InputError, match=r"^`max_gpu_memory` must be .*; got "):
        parse_bytes(text, "max_gpu_memory")


@pytest.mark.parametrize("text", ["2", "2 weeks", "h", "-2h", float("nan"), float("inf")])
def test_what_is_no_time_says_what_one_looks_like(text):
    with pytest.raises(InputError, match=r"^`budget` must be .*; got "):
        parse_seconds(text, "budget")


@pytest.mark.parametrize("text", ["$5", "", "0", "-1", "inf", None])
def test_what_is_no_number_is_refused(text):
    with pytest.raises(InputError, match="without a currency"):
        parse_number(text, "max_cost")


@given(st.floats(1.0, 1e15))
def test_a_size_reads_back_as_what_it_was(size):
    assert parse_bytes(bytes_text(size), "x") == pytest.approx(size, rel=6e-3, abs=0.5)


@given(st.floats(0.1, 1e9))
def test_a_time_reads_back_as_what_it_was(seconds):
    assert parse_seconds(seconds_text(seconds), "x") == pytest.approx(seconds, rel=6e-3, abs=0.0501)


@pytest.mark.parametrize(
    ("count", "text"),
    [(0, "0"), (950, "950"), (999.9, "1 k"), (22_713_216, "22.7 M"), (7e9, "7 G")],
)
def test_counts(count, text):
    assert count_text(count) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.04, "0.0 s"),
        (9.97, "9.97 s"),
        (10.5, "10.5 s"),
        (99.4, "99.4 s"),
        (99.6, "1.66 min"),
        (5400, "90 min"),
    ],
)
def test_times(seconds, text):
    assert seconds_text(seconds) == text
