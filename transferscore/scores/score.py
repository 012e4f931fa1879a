"""What the catalogue knows of a score. Each score's file says it once, beside the formula."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from transferscore.statistics import Statistics

__all__ = ["ALL_TASKS", "CLASSES_ONLY", "ScoreInfo"]

ALL_TASKS = ("classification", "multilabel", "regression")
CLASSES_ONLY = ("classification",)


@dataclass(frozen=True, slots=True)
class ScoreInfo:
    """A registered score. Higher is better, always.

    Attributes:
        name: Registry name, also the name of its public function.
        tells: What the number tells you, in one line.
        range: Least and greatest value.
        chance: Where uninformative features stand.
        paper: Authors (year), title, venue.
        bibtex: The paper as a BibTeX entry.
        compute: From shared statistics to the value.
        tasks: Tasks for which the formula has a meaning.
        needs_source: Whether it reads the model's own class probabilities.
        on_moments: Tasks for which moments suffice, so that merged statistics give the value of
            all rows; for the others it is computed on the sample of rows that they hold.
    """

    name: str
    tells: str
    range: str
    chance: str
    paper: str
    bibtex: str
    compute: Callable[[Statistics], float]
    tasks: tuple[str, ...] = CLASSES_ONLY
    needs_source: bool = False
    on_moments: tuple[str, ...] = ()

    @property
    def needs(self) -> str:
        """What must be given, in words."""
        return "source probabilities, labels" if self.needs_source else "features, labels"
