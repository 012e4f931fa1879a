"""What full fine-tuning adds to a probe, by published runs: for models without gradients."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from transferscore.strategies.calibration import log_odds, raised
from transferscore.strategies.outlook_values import Prediction

__all__ = ["PUBLISHED", "Published", "published_full"]


@dataclass(frozen=True, slots=True)
class Published:
    """A line through published pairs of head-only and full fine-tuning, in log odds.

    Attributes:
        constant: What full fine-tuning adds to a probe that is right half of the time.
        slope: By how much that changes with the log odds of the probe.
        spread: Root mean square error in accuracy, on datasets left out of the fit.
    """

    constant: float
    slope: float
    spread: float


# Printed by tests/benchmarks/calibrate_published.py. Images: 11 ImageNet CNNs on 11 datasets
# (alizkzm/pert_robust_platform), off by 7.9 points where "no gain" is off by 15.6 and the mean gain
# by 10.6. Text: 7 encoders on 10 tasks (the logme-nlp study), where a line does no better than the
# mean gain; off by 6.4 points where "no gain" is off by 10.0. Training sets of thousands of rows.
PUBLISHED: Mapping[str, Published] = {
    "image": Published(1.40, -0.51, 0.111),
    "text": Published(0.57, 0.0, 0.086),
}


def published_full(modality: str, probe: float, n_rows: int) -> Prediction | None:
    """Expected accuracy of full fine-tuning; None for a modality without published runs.

    Args:
        modality: "image" or "text".
        probe: Held-out accuracy of the probe.
        n_rows: Rows that it was held out on.
    """
    if (line := PUBLISHED.get(modality)) is None:
        return None
    gain = line.constant + line.slope * log_odds(probe, n_rows)
    return raised(probe, max(gain, 0.0), n_rows, line.spread)
