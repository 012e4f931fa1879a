"""Bytes, seconds and operations per second as people write them, and back."""

from __future__ import annotations

import math
import re

from transferscore.errors import InputError

__all__ = [
    "bytes_text",
    "count_text",
    "parse_bytes",
    "parse_flops",
    "parse_number",
    "parse_seconds",
    "seconds_text",
]

_BYTES = {
    "b": 1,
    **{f"{p}b": 10 ** (3 * i) for i, p in enumerate("kmgt", 1)},
    **{f"{p}ib": 2 ** (10 * i) for i, p in enumerate("kmgt", 1)},
}
_SECONDS = {
    **dict.fromkeys(("s", "sec", "second", "seconds"), 1.0),
    **dict.fromkeys(("m", "min", "minute", "minutes"), 60.0),
    **dict.fromkeys(("h", "hour", "hours"), 3600.0),
    **dict.fromkeys(("d", "day", "days"), 86400.0),
}
_FLOPS = {f"{p}flop{s}": 10.0 ** (3 * i) for i, p in enumerate("gtp", 3) for s in ("s", "/s")}
_PART = re.compile(r"\s*(\d+(?:\.\d+)?|\.\d+)\s*([a-z/]*)\s*")


def parse_bytes(value: str | float, name: str) -> int:
    """A size in bytes: "24GB" is 24 x 10^9, "24GiB" is 24 x 2^30, a number is bytes.

    Args:
        value: What was written.
        name: The argument, for the message.

    Raises:
        InputError: It is no size, or not above 0.

    Examples:
        >>> parse_bytes("1.5 GiB", "max_gpu_memory")
        1610612736
    """
    return int(_parsed(value, name, _BYTES, "a size with its unit, such as 24GB or 512MiB"))


def parse_seconds(value: str | float, name: str) -> float:
    """A time in seconds: "90s", "10min", "2h", "1h30m", "1.5d"; a number is seconds.

    Args:
        value: What was written.
        name: The argument, for the message.

    Raises:
        InputError: It is no time, or not above 0.

    Examples:
        >>> parse_seconds("1h30m", "max_train_time")
        5400.0
    """
    return _parsed(value, name, _SECONDS, "a time with its unit, such as 90s, 10min or 1h30m")


def parse_flops(value: str | float, name: str) -> float:
    """Floating-point operations per second: "312TFLOPS", "19.5 TFLOP/s"; a number is FLOP/s.

    Args:
        value: What was written.
        name: The argument, for the message.

    Raises:
        InputError: It is no rate, or not above 0.

    Examples:
        >>> parse_flops("19.5TFLOPS", "device_flops")
        19500000000000.0
    """
    return _parsed(value, name, _FLOPS, "a rate with its unit, such as 312TFLOPS or 900GFLOPS")


def parse_number(value: str | float, name: str) -> float:
    """A finite number above 0, perhaps as text.

    Args:
        value: What was written.
        name: The argument, for the message.

    Raises:
        InputError: It is none.

    Examples:
        >>> parse_number("2.5", "price_per_hour")
        2.5
    """
    try:
        number = float(value)
    except (TypeError, ValueError):
        raise _error(value, name, "a number above 0, without a currency") from None
    if not (math.isfinite(number) and number > 0.0):
        raise _error(value, name, "a number above 0, without a currency")
    return number


def bytes_text(n_bytes: float) -> str:
    """A size in the unit that leaves three digits: 1.42 GB, 310 MB.

    Examples:
        >>> bytes_text(1_424_000_000)
        '1.42 GB'
    """
    for unit, size in (("TB", 1e12), ("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if n_bytes >= 0.9995 * size:
            return f"{_three_digits(n_bytes / size)} {unit}"
    return f"{n_bytes:.0f} B"


def seconds_text(seconds: float) -> str:
    """A time in the unit that people would use: 4.2 s, 12 min, 3.5 h, 2.1 days.

    Examples:
        >>> seconds_text(750)
        '12.5 min'
    """
    if seconds < 99.5:
        return f"{seconds:.1f} s" if seconds < 9.95 else f"{_three_digits(seconds)} s"
    for unit, size in (("min", 60.0), ("h", 3600.0)):
        if seconds < 99.5 * size:
            return f"{_three_digits(seconds / size)} {unit}"
    return f"{_three_digits(seconds / 86400.0)} days"


def count_text(count: float) -> str:
    """A count in short: 950, 22.7 k, 22.7 M, 1.1 G.

    Examples:
        >>> count_text(22_713_216)
        '22.7 M'
    """
    for unit, size in (("T", 1e12), ("G", 1e9), ("M", 1e6), ("k", 1e3)):
        if count >= 0.9995 * size:
            return f"{_three_digits(count / size)} {unit}"
    return f"{count:.0f}"


def _parsed(value: str | float, name: str, units: dict[str, float], wanted: str) -> float:
    if isinstance(value, int | float):
        return parse_number(value, name)
    text, position, total = str(value).lower(), 0, 0.0
    while position < len(text):
        part = _PART.match(text, position)
        # A bare number in text could be any unit: "2" may be meant as hours.
        if part is None or part[2] not in units:
            raise _error(value, name, wanted)
        total += float(part[1]) * units[part[2]]
        position = part.end()
    if not (math.isfinite(total) and total > 0.0):
        raise _error(value, name, wanted)
    return total


def _three_digits(value: float) -> str:
    decimals = 2 if value < 9.995 else 1 if value < 99.95 else 0
    text = f"{value:.{decimals}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _error(value: object, name: str, wanted: str) -> InputError:
    return InputError(f"`{name}` must be {wanted}; got {value!r}.")
