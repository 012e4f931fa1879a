"""What is computed once from features and used by every score: moments and one spectrum."""

from transferscore.statistics.moments import Moments, merge_moments, moments
from transferscore.statistics.ridge import HeldOut, held_out_folds
from transferscore.statistics.spectrum import Spectrum
from transferscore.statistics.statistics import Statistics
from transferscore.statistics.stream import statistics_of
from transferscore.statistics.targets import Targets, class_targets, real_targets

__all__ = [
    "HeldOut",
    "Moments",
    "Spectrum",
    "Statistics",
    "Targets",
    "class_targets",
    "held_out_folds",
    "merge_moments",
    "moments",
    "real_targets",
    "statistics_of",
]
