"""What simple features reach: no pretrained model at all, one row of every ranking."""

from transferscore.baselines.baseline import Baseline, baseline_of

__all__ = ["Baseline", "baseline_of"]
