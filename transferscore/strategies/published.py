"""What fine-tuning adds to a probe, by published runs: for models without gradients."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from transferscore.strategies.calibration import log_odds, raised
from transferscore.strategies.outlook_values import Prediction

__all__ = ["PUBLISHED", "PUBLISHED_BASIS", "Frozen", "Line", "Published", "published_outlook"]

PUBLISHED_BASIS = "published runs of other models"
# The gains were published of thousands of labels; our own runs had 500.
_MANY, _FEW = 2000, 500


@dataclass(frozen=True, slots=True)
class Line:
    """A gain in log odds as a line in something known of the frozen model.

    Attributes:
        constant: The gain where it is 0.
        slope: By how much the gain changes with it.
    """

    constant: float
    slope: float = 0.0

    def gain(self, known: float) -> float:
        """The gain, never below 0: one that loses need not be fine-tuned."""
        return max(0.0, self.constant + self.slope * known)


@dataclass(frozen=True, slots=True)
class Published:
    """What published runs on one kind of data say of a strategy.

    Attributes:
        by_probe: The gain by the log odds of the probe.
        spread: Standard deviation of the error in accuracy, on datasets left out of the fit.
        by_source: The gain by NCE / ln K instead, where the model has classes of its own.
        source_spread: The spread then.
        few_share: The share of these gains that 500 labels bring.
        few_spread: The spread with 500 labels, where it is known.
    """

    by_probe: Line
    spread: float
    by_source: Line | None = None
    source_spread: float = 0.0
    few_share: float = 1.0
    few_spread: float = 0.0


@dataclass(frozen=True, slots=True)
class Frozen:
    """What is known of a model whose weights cannot be trained here.

    Attributes:
        probe: Held-out accuracy of the probe.
        n_rows: Rows that it was held out on.
        source_nce: NCE / ln K, in [-1, 0]; None where the model has no classes of its own.
    """

    probe: float
    n_rows: int
    source_nce: float | None = None


# Printed by tests/benchmarks/calibrate_published.py, with the errors on datasets left out. Images:
# 11 ImageNet CNNs on 10 datasets (alizkzm/pert_robust_platform, NCE by zhangyikaii/Model-Spider),
# and 18 runs of ours with 500 labels. Text: 7 encoders on 10 tasks (the logme-nlp study); LoRA
# is told from full tuning by 155 models on 9 tasks (TransferGraph, rank 1), so its line is the
# difference of two means and its spread has both errors. With 500 texts three runs are too few to
# tell a spread, so that of images stands in.
PUBLISHED: Mapping[tuple[str, str], Published] = {
    ("image", "full"): Published(
        Line(1.53, -0.49), 0.083, Line(-0.04, -2.31), 0.085, few_share=0.66, few_spread=0.156
    ),
    ("text", "full"): Published(Line(0.61), 0.078, few_spread=0.156),
    ("text", "lora"): Published(Line(0.41), 0.105, few_spread=0.156),
}


def published_outlook(strategy: str, modality: str, frozen: Frozen) -> Prediction | None:
    """Expected accuracy of a strategy by published runs; None where there are no such runs.

    Args:
        strategy: Its name.
        modality: Of the data.
        frozen: What is known of the model.
    """
    kind = "text" if modality == "text_pair" else modality
    if (runs := PUBLISHED.get((kind, strategy.partition(":")[0]))) is None:
        return None
    gain, spread = _of_many(runs, frozen)
    few = _fewness(frozen.n_rows)
    gain *= 1.0 + few * (runs.few_share - 1.0)
    spread += few * max(runs.few_spread - spread, 0.0)
    return raised(frozen.probe, gain, frozen.n_rows, spread)


def _of_many(runs: Published, frozen: Frozen) -> tuple[float, float]:
    """Gain and spread with as many labels as the published runs had."""
    if runs.by_source is None or frozen.source_nce is None:
        return runs.by_probe.gain(log_odds(frozen.probe, frozen.n_rows)), runs.spread
    return runs.by_source.gain(frozen.source_nce), runs.source_spread


def _fewness(n_rows: int) -> float:
    """0 where labels are as many as in published runs, 1 at as few as in ours, between by ln n."""
    return min(max(math.log(_MANY / n_rows) / math.log(_MANY / _FEW), 0.0), 1.0)
