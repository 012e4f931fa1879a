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

# By modality and strategy, 500 rows each. Images: CIFAR-10 ResNet-20 on four sets, MobileNet 0.25
# on five. Text: MiniLM on three.
CALIBRATIONS: Mapping[str, Mapping[str, Calibration]] = {
    "image": {
        "linear_probe": Calibration(0.00, 0.00, 0.00, 0.00, 0.030),  # 9 runs
        "norm_tuning": Calibration(0.05, 0.38, 0.61, 0.00, 0.033),  # 9 runs
        "partial": Calibration(0.05, 0.64, 0.58, 0.00, 0.031),  # 9 runs
        "lora": Calibration(0.08, 0.53, 0.73, 0.00, 0.048),  # 5 runs
        "full": Calibration(0.14, 0.54, 0.73, 0.00, 0.041),  # 9 runs
        "scratch": Calibration(-0.11, 0.54, 0.73, -2.10, 0.080),  # 9 runs
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
