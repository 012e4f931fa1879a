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

# By modality and strategy, 500 rows each. Images: CIFAR-10 ResNet-20 and -44 on four sets,
# MobileNet 0.25 and 0.5 on five. Text: MiniLM on three.
CALIBRATIONS: Mapping[str, Mapping[str, Calibration]] = {
    "image": {
        "linear_probe": Calibration(0.00, 0.00, 0.00, 0.00, 0.030),  # 18 runs
        "norm_tuning": Calibration(0.04, 0.24, 0.53, 0.00, 0.030),  # 18 runs
        "partial": Calibration(-0.02, 0.57, 0.52, 0.00, 0.030),  # 18 runs
        "lora": Calibration(0.04, 0.42, 0.74, 0.00, 0.030),  # 10 runs
        "full": Calibration(0.07, 0.40, 0.70, 0.00, 0.030),  # 18 runs
        "scratch": Calibration(-0.24, 0.40, 0.70, -2.16, 0.080),  # 18 runs
    },
    "text": {
        "linear_probe": Calibration(0.00, 0.00, 0.00, 0.00, 0.030),  # 3 runs
        "norm_tuning": Calibration(0.18, 0.40, 0.56, 0.00, 0.030),  # 3 runs
        "partial": Calibration(0.07, 0.38, 0.55, 0.00, 0.030),  # 3 runs
        "lora": Calibration(0.20, 0.38, 0.53, 0.00, 0.030),  # 3 runs
        "full": Calibration(0.11, 0.38, 0.51, 0.00, 0.030),  # 3 runs
        "scratch": Calibration(-0.96, 0.38, 0.51, -0.11, 0.030),  # 2 runs
    },
}
