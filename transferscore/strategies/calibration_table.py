"""The calibration's numbers. Printed by tests/benchmarks/calibrate_outlook.py."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

__all__ = ["CALIBRATIONS", "Calibration"]


@dataclass(frozen=True, slots=True)
class Calibration:
    """How the evidence on one strategy is weighed, in log odds over the probe.

    Attributes:
        constant: What the strategy adds in any case.
        kernel: Share of the kernel's gain.
        rehearsal: Share of the rehearsal's gain.
        kernel_alone: Share of the kernel's gain where nothing was rehearsed.
        spread: Standard deviation of the error in accuracy, beyond the chance of the rows, on
            datasets that were left out of the fit.
    """

    constant: float
    kernel: float
    rehearsal: float
    kernel_alone: float
    spread: float


CALIBRATIONS: Mapping[str, Calibration] = {
    "linear_probe": Calibration(0.0, 0.0, 0.0, 0.0, 0.015),
    "norm_tuning": Calibration(0.0, 0.5, 0.5, 1.0, 0.03),
    "partial": Calibration(0.0, 0.5, 0.5, 1.0, 0.03),
    "lora": Calibration(0.0, 0.5, 0.5, 1.0, 0.03),
    "full": Calibration(0.0, 0.5, 0.5, 1.0, 0.03),
    "scratch": Calibration(0.5, 0.0, 1.0, 0.0, 0.08),
    "other": Calibration(0.0, 0.5, 0.5, 1.0, 0.08),
}
