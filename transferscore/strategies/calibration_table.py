"""The calibration's numbers. Printed by tests/benchmarks/calibrate_outlook.py."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

__all__ = ["CALIBRATIONS", "UNTRIED", "Calibration"]


@dataclass(frozen=True, slots=True)
class Calibration:
    """How the evidence on one strategy is weighed, in log odds over the probe.

    Attributes:
        constant: What the strategy adds in any case.
        kernel: Share of the kernel's gain.
        rehearsal: Share of the rehearsal's gain.
        frozen: What is added for frozen features that are the whole kernel; negative from scratch,
            because it is these that are given up.
        spread: Standard deviation of the error in accuracy, beyond the chance of the rows, on
            datasets that were left out of the fit.
    """

    constant: float
    kernel: float
    rehearsal: float
    frozen: float
    spread: float


# What no run was measured of: the kernel as it is, with the widest spread that was seen.
UNTRIED = Calibration(0.0, 1.0, 0.0, 0.0, 0.177)

CALIBRATIONS: Mapping[str, Mapping[str, Calibration]] = {
    "image": {
        "linear_probe": Calibration(0.00, 0.00, 0.00, 0.00, 0.030),  # 6 runs
        "norm_tuning": Calibration(0.04, 0.13, 0.78, 0.00, 0.036),  # 6 runs
        "partial": Calibration(0.06, 0.31, 0.79, 0.00, 0.030),  # 6 runs
        "lora": Calibration(0.14, 0.27, 0.90, 0.00, 0.053),  # 3 runs
        "full": Calibration(0.17, 0.26, 0.91, 0.00, 0.043),  # 6 runs
        "scratch": Calibration(0.01, 0.26, 0.91, -2.05, 0.051),  # 6 runs
    },
    "text": {
        "linear_probe": Calibration(0.00, 0.00, 0.00, 0.00, 0.030),  # 1 runs
        "norm_tuning": Calibration(0.16, 0.49, 0.54, 0.00, 0.030),  # 1 runs
        "partial": Calibration(0.05, 0.47, 0.51, 0.00, 0.030),  # 1 runs
        "lora": Calibration(0.21, 0.48, 0.55, 0.00, 0.034),  # 1 runs
        "full": Calibration(0.12, 0.48, 0.53, 0.00, 0.030),  # 1 runs
        "scratch": Calibration(-0.94, 0.48, 0.53, -0.11, 0.197),  # 1 runs
    },
}
