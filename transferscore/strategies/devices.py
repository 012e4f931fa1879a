"""Devices that a model may be trained on: what they can do and hold, by their makers' word."""

from __future__ import annotations

from dataclasses import dataclass

from transferscore.errors import InputError, UnknownNameError
from transferscore.strategies.units import parse_bytes, parse_flops

__all__ = ["DEVICES", "Device", "device_named", "stated_device"]

_GB = 2**30


@dataclass(frozen=True, slots=True)
class Device:
    """What a training device is stated to do.

    Attributes:
        name: What the report calls it.
        flops: Peak dense floating-point operations a second, in the precision that training uses.
        memory_bytes: Memory that it has; None where nobody said.
        bandwidth: Bytes a second between that memory and the processor; None where nobody said.
        precision: Of the activations: "mixed" (two bytes a number) or "float32".
        source: Where the figures come from.
    """

    name: str
    flops: float
    memory_bytes: int | None
    bandwidth: float | None
    precision: str
    source: str


def _gpu(name: str, tflops: float, memory: int, bandwidth: float, sheet: str) -> tuple[str, Device]:
    peak = Device(name, tflops * 1e12, memory * _GB, bandwidth * 1e9, "mixed", sheet)
    return name.lower().replace(" ", "-"), peak


# Dense tensor-core throughput with float32 accumulation (BF16, or FP16 where there is no BF16),
# without sparsity, memory and bandwidth: NVIDIA's data sheets and architecture white papers.
DEVICES = dict(
    [
        _gpu("T4", 65, 16, 320, "NVIDIA T4 data sheet (FP16)"),
        _gpu("V100", 125, 32, 900, "NVIDIA V100 data sheet (SXM2 32 GB, FP16)"),
        _gpu("A10", 125, 24, 600, "NVIDIA A10 data sheet (BF16)"),
        _gpu("A10G", 70, 24, 600, "AWS EC2 G5 instance page (FP16)"),
        _gpu("L4", 121, 24, 300, "NVIDIA L4 data sheet (BF16 without sparsity)"),
        _gpu("L40S", 362, 48, 864, "NVIDIA L40S data sheet (BF16 without sparsity)"),
        _gpu("RTX 3090", 71, 24, 936, "NVIDIA GA102 white paper (FP16 with FP32 accumulate)"),
        _gpu("RTX 4090", 165, 24, 1008, "NVIDIA Ada white paper (FP16 with FP32 accumulate)"),
        _gpu("A100 40GB", 312, 40, 1555, "NVIDIA A100 data sheet (BF16)"),
        _gpu("A100 80GB", 312, 80, 2039, "NVIDIA A100 data sheet (SXM4, BF16)"),
        _gpu("H100", 989, 80, 3350, "NVIDIA H100 data sheet (SXM5, BF16 without sparsity)"),
        _gpu("H200", 989, 141, 4800, "NVIDIA H200 data sheet (BF16 without sparsity)"),
    ]
)


def device_named(name: str) -> Device:
    """The device of the table called `name`, such as "a100-80gb".

    Raises:
        UnknownNameError: There is none; the message lists those that are.
    """
    key = name.strip().lower().replace(" ", "-").replace("_", "-")
    if key not in DEVICES:
        known = ", ".join(DEVICES)
        raise UnknownNameError(
            f"`train_device` must be one of {known}; got {name!r}. For another device give "
            f"`device_flops` and `device_memory`."
        )
    return DEVICES[key]


def stated_device(
    train_device: str | None = None,
    device_flops: str | float | None = None,
    device_memory: str | float | None = None,
) -> Device | None:
    """The device that a caller means; None for the one that this runs on.

    Args:
        train_device: A name of the table.
        device_flops: Peak FLOP/s, such as "312TFLOPS"; overrides the table.
        device_memory: Memory, such as "24GB"; overrides the table.

    Raises:
        UnknownNameError: The table has no such device.
        InputError: A figure cannot be read, or memory comes without a rate.
    """
    base = None if train_device is None else device_named(train_device)
    memory = None if device_memory is None else parse_bytes(device_memory, "device_memory")
    if base is None and device_flops is None:
        if memory is not None:
            raise InputError(
                "`device_memory` must come with `device_flops` or `train_device`, which say how "
                "fast the device is; for a limit on memory alone use `max_gpu_memory`."
            )
        return None
    flops = base.flops if base else 0.0
    source = base.source if base else "the caller"
    if device_flops is not None:
        flops, source = parse_flops(device_flops, "device_flops"), "the caller"
    return Device(
        base.name if base else "the stated device",
        flops,
        memory if memory is not None else base.memory_bytes if base else None,
        base.bandwidth if base else None,
        "mixed",
        source,
    )
