"""Limits: what training may take, which candidates keep to it, and what would have to change."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from transferscore.errors import InputError, UnknownNameError
from transferscore.strategies.devices import Device, stated_device
from transferscore.strategies.units import (
    bytes_text,
    parse_bytes,
    parse_number,
    parse_seconds,
    seconds_text,
)

__all__ = [
    "LIMIT_NAMES",
    "NO_LIMITS",
    "Breach",
    "Limits",
    "breaches",
    "changes_needed",
    "parse_limits",
]

LIMIT_NAMES = (
    "max_gpu_memory",
    "max_train_time",
    "max_cost",
    "price_per_hour",
    "train_device",
    "device_flops",
    "device_memory",
)


@dataclass(frozen=True, slots=True)
class Limits:
    """What training may take; None for no limit.

    Attributes:
        max_gpu_memory: Peak memory of training in bytes, on whatever device it runs.
        max_train_time: Seconds.
        max_cost: Money, in the currency of `price_per_hour`.
        price_per_hour: What an hour of the device costs; None where nobody said.
        device: The device that training will run on, if not the one that ranks.
    """

    max_gpu_memory: int | None = None
    max_train_time: float | None = None
    max_cost: float | None = None
    price_per_hour: float | None = None
    device: Device | None = None

    @property
    def is_set(self) -> bool:
        """Whether there is anything that a candidate could break."""
        return bool(self.ceilings())

    def ceilings(self) -> dict[str, float]:
        """Each limit by the name of the argument that set it, the device's own memory included."""
        memory = self.device.memory_bytes if self.device is not None else None
        found = {
            "max_gpu_memory": self.max_gpu_memory,
            "device_memory": memory,
            "max_train_time": self.max_train_time,
            "max_cost": self.max_cost,
        }
        return {name: float(value) for name, value in found.items() if value is not None}

    def to_dict(self) -> dict[str, Any]:
        """For the ranking document: what was asked, in bytes, seconds and money."""
        return {
            "max_gpu_memory": self.max_gpu_memory,
            "max_train_time": self.max_train_time,
            "max_cost": self.max_cost,
            "price_per_hour": self.price_per_hour,
            "device": None if self.device is None else self.device.name,
        }


NO_LIMITS = Limits()


@dataclass(frozen=True, slots=True)
class Breach:
    """A limit that a candidate breaks.

    Attributes:
        limit: Name of the argument that set it.
        needs: What the candidate takes, in bytes, seconds or money.
        allowed: The limit, in the same unit.
    """

    limit: str
    needs: float
    allowed: float

    @property
    def excess(self) -> float:
        """How many times the limit the candidate takes; above 1."""
        return self.needs / self.allowed


def parse_limits(limits: Limits | Mapping[str, Any] | None) -> Limits:
    """Limits as a caller writes them.

    Args:
        limits: `Limits`, None, or a mapping with any of max_gpu_memory ("24GB"), max_train_time
            ("2h"), max_cost, price_per_hour, and for training on another device train_device (a
            name of the table), device_flops and device_memory. Entries that are None count as
            absent.

    Raises:
        UnknownNameError: There is no limit or device of a name.
        InputError: A value cannot be read, or `max_cost` comes without `price_per_hour`.

    Examples:
        >>> parse_limits({"max_gpu_memory": "24GB", "max_train_time": "2h"}).max_train_time
        7200.0
    """
    if limits is None:
        return NO_LIMITS
    if isinstance(limits, Limits):
        return limits
    if not isinstance(limits, Mapping):
        raise InputError(
            f"`limits` must be a mapping with any of {', '.join(LIMIT_NAMES)}; "
            f"got {type(limits).__name__}."
        )
    given = {name: value for name, value in limits.items() if value is not None}
    if unknown := sorted(set(given) - set(LIMIT_NAMES)):
        raise UnknownNameError(
            f"There is no limit named {unknown[0]!r}; the limits are {', '.join(LIMIT_NAMES)}."
        )
    if "max_cost" in given and "price_per_hour" not in given:
        raise InputError(
            "`max_cost` must come with `price_per_hour`, which turns training time into money."
        )
    return Limits(
        _optional(given, "max_gpu_memory", parse_bytes),
        _optional(given, "max_train_time", parse_seconds),
        _optional(given, "max_cost", parse_number),
        _optional(given, "price_per_hour", parse_number),
        stated_device(
            given.get("train_device"), given.get("device_flops"), given.get("device_memory")
        ),
    )


def breaches(
    limits: Limits,
    *,
    train_seconds: float | None,
    train_memory_bytes: float | None,
    money: float | None,
) -> tuple[Breach, ...]:
    """The limits that a candidate of this cost breaks; a figure that is None breaks none."""
    needs = {
        "max_gpu_memory": train_memory_bytes,
        "device_memory": train_memory_bytes,
        "max_train_time": train_seconds,
        "max_cost": money,
    }
    return tuple(
        Breach(name, needed, allowed)
        for name, allowed in limits.ceilings().items()
        if (needed := needs[name]) is not None and needed > allowed
    )


def changes_needed(broken: tuple[Breach, ...]) -> str:
    """What would have to change for a candidate to fit: "max_gpu_memory of 2.1 GB (now 1 GB)"."""
    return " and ".join(
        f"{breach.limit} of {_text(breach.limit, breach.needs)} "
        f"(now {_text(breach.limit, breach.allowed)})"
        for breach in broken
    )


def _optional(given: Mapping[str, Any], name: str, parse: Callable[[Any, str], Any]) -> Any:
    return parse(given[name], name) if name in given else None


def _text(limit: str, value: float) -> str:
    if limit == "max_train_time":
        return seconds_text(value)
    return f"{value:.3g}" if limit == "max_cost" else bytes_text(value)
