"""Options that name strategies and limits, the same for every verb that ranks."""

from __future__ import annotations

import argparse
from typing import Any

__all__ = ["add_strategy_options", "limits_of"]

_LIMITS = (
    ("max_gpu_memory", "SIZE", "peak memory of training, such as 24GB"),
    ("max_train_time", "TIME", "such as 90min or 2h"),
    ("max_cost", "MONEY", "of training, with --price-per-hour"),
    ("price_per_hour", "MONEY", "of the device"),
    ("train_device", "NAME", "device to train on, if not this one, such as a100-80gb"),
    ("device_flops", "RATE", "its peak, such as 312TFLOPS, where no name says it"),
    ("device_memory", "SIZE", "its memory, likewise"),
)


def add_strategy_options(parser: argparse.ArgumentParser, default: str) -> None:
    """`--strategy` and the limits.

    Args:
        parser: Of the verb.
        default: The strategies where none are named.
    """
    group = parser.add_argument_group("strategies and what training may take")
    group.add_argument(
        "--strategy",
        metavar="A,B",
        default=default,
        help="all, or of linear_probe, norm_tuning, partial, lora, lora:RANK, full, scratch; "
        f"default: {default}",
    )
    for name, metavar, text in _LIMITS:
        group.add_argument(f"--{name.replace('_', '-')}", metavar=metavar, help=text)


def limits_of(options: argparse.Namespace) -> dict[str, Any] | None:
    """The limits that were given, as `rank` takes them; None where there are none."""
    given = {name: getattr(options, name) for name, _, _ in _LIMITS}
    return {name: value for name, value in given.items() if value is not None} or None
