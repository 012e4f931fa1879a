"""The calibration's numbers. Printed by tests/benchmarks/calibrate_outlook.py."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

__all__ = ["CALIBRATIONS", "UNTRIED", "Calibration"]


@dataclass(frozen=True, slots=True)
class Calibration:
    """How the evidence on one strategy is weighed, in log odds over the probe.

    Attributes:
        constant: What the strategy adds in any case; from scratch it takes away.
        kernel: Share of the kernel's gain.
        rehearsal: Share of the rehearsal's gain.
        frozen: What is added for frozen features that are the whole kernel; negative from scratch,
            because it is these that are given up.
        growth: Share of the gain that comes on top with every doubling of the rows that kernel and
            rehearsal saw.
        spread: Standard deviation of the error in accuracy, beyond the chance of the rows, on
            datasets that were left out of the fit.
    """

    constant: float
    kernel: float
    rehearsal: float
    frozen: float
    growth: float
    spread: float


# What no run was measured of: the kernel as it is, with the widest spread that was seen.
UNTRIED = Calibration(0.0, 1.0, 0.0, 0.0, 0.00, 0.177)

# By modality and strategy, 500 rows each. Images: CIFAR-10 ResNet-20 and -44 on four sets,
# MobileNet 0.25 and 0.5 on five. Text: MiniLM on four, its lower half on two. Growth is of runs
# with 1,000 rows: ResNet-20 on four sets, MobileNet 0.25 on two, MiniLM on one.
CALIBRATIONS: Mapping[str, Mapping[str, Calibration]] = {
    "image": {
        "linear_probe": Calibration(0.00, 0.00, 0.00, 0.00, 0.00, 0.030),  # 18 runs
        "norm_tuning": Calibration(0.00, 0.19, 0.62, 0.00, 0.26, 0.030),  # 18 runs
        "partial": Calibration(0.00, 0.51, 0.55, 0.00, 0.38, 0.030),  # 18 runs
        "lora": Calibration(0.00, 0.36, 0.82, 0.00, 0.31, 0.030),  # 10 runs
        "full": Calibration(0.00, 0.36, 0.85, 0.00, 0.38, 0.030),  # 18 runs
        "scratch": Calibration(-0.28, 0.36, 0.85, -2.12, 0.38, 0.118),  # 18 runs
    },
    "text": {
        "linear_probe": Calibration(0.00, 0.00, 0.00, 0.00, 0.00, 0.030),  # 7 runs
        "norm_tuning": Calibration(0.00, 0.52, 0.71, 0.00, 0.26, 0.030),  # 6 runs
        "partial": Calibration(0.00, 0.49, 0.69, 0.00, 0.38, 0.030),  # 6 runs
        "lora": Calibration(0.00, 0.48, 0.69, 0.00, 0.31, 0.030),  # 6 runs
        "full": Calibration(0.00, 0.48, 0.66, 0.00, 0.38, 0.030),  # 6 runs
        "scratch": Calibration(-0.72, 0.48, 0.66, -2.04, 0.38, 0.122),  # 5 runs
    },
}
