"""Ranking: the answer. Candidates in order, with intervals, ties, costs, reasons and failures."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from transferscore import report
from transferscore.errors import EncoderError, MissingExtraError
from transferscore.ranking.layers import LayerEvaluation

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Candidate", "Failure", "Prediction", "Ranking"]

_SCHEMA_VERSION = 1


@dataclass(frozen=True, slots=True)
class Prediction:
    """A metric's expected value on unseen data, and the 90% interval about it."""

    metric: str
    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Candidate:
    """One model adapted one way.

    Attributes:
        rank: From 1, by predicted value.
        model: Its URI or name.
        strategy: How it is adapted: "linear_probe".
        predicted: What it is expected to reach.
        p_best: Probability that it is the best of the candidates.
        tied_with_first: Whether the sample is too small to say that the first is better.
        scores: Score name to value.
        n_features: Feature width.
        n_samples: Samples that it was scored on.
        seconds: Time it took in all.
        forward_seconds: Time spent in the model itself; 0 where features came from the store.
        details: What else is known of the model, such as the revision it came from.
        layers: With `layer=all`, what each layer would reach, the embeddings first.
        layer: With `layer=all`, the best of them, which everything above is of.
    """

    rank: int
    model: str
    strategy: str
    predicted: Prediction
    p_best: float
    tied_with_first: bool
    scores: Mapping[str, float]
    n_features: int
    n_samples: int
    seconds: float
    forward_seconds: float
    details: Mapping[str, str] = field(default_factory=dict)
    layers: tuple[LayerEvaluation, ...] = ()
    layer: int | None = None


@dataclass(frozen=True, slots=True)
class Failure:
    """A model that could not be ranked: the kind of error and its message."""

    model: str
    error: str
    message: str


@dataclass(frozen=True, slots=True)
class Ranking:
    """Candidates in order of predicted metric, best first. Prints as a table.

    Attributes:
        dataset: What was ranked on: name, task, metric, modality, split, n_samples, n_classes,
            majority_share (what a constant guess scores) and seed.
        candidates: Best first.
        failures: Models that could not be ranked, in the order in which they were given.
        warnings: What a reader should know of the data and the scores.
        expected_regret: What choosing the first costs on average against the best, in the metric.
    """

    dataset: Mapping[str, Any]
    candidates: tuple[Candidate, ...]
    failures: tuple[Failure, ...] = ()
    warnings: tuple[str, ...] = ()
    expected_regret: float | None = None

    @property
    def best(self) -> Candidate:
        """The first candidate.

        Raises:
            EncoderError: No candidate could be ranked.
        """
        if not self.candidates:
            reason = self.failures[0].message if self.failures else "there were none."
            raise EncoderError(f"No candidate could be ranked; the first reason: {reason}")
        return self.candidates[0]

    def to_dict(self) -> dict[str, Any]:
        """The ranking as the JSON document of `transferscore rank --format json`."""
        return {
            "schema_version": _SCHEMA_VERSION,
            "dataset": dict(self.dataset),
            "candidates": [_jsonable(asdict(candidate)) for candidate in self.candidates],
            "failures": [asdict(failure) for failure in self.failures],
            "warnings": list(self.warnings),
            "expected_regret": self.expected_regret,
        }

    def to_frame(self) -> pd.DataFrame:
        """One row a candidate, one column a score, as a pandas DataFrame.

        Raises:
            MissingExtraError: pandas is not installed.
        """
        try:
            import pandas as pd
        except ImportError:
            raise MissingExtraError.of("pandas", "frame", "Ranking.to_frame()") from None
        return pd.DataFrame(report.rows(self.to_dict()))

    def __str__(self) -> str:
        return report.to_text(self.to_dict())

    def _repr_html_(self) -> str:
        return report.to_html(self.to_dict())


def _jsonable(candidate: dict[str, Any]) -> dict[str, Any]:
    """JSON has no infinities: a score that is not finite is null."""
    layers = [layer | {"scores": _finite(layer["scores"])} for layer in candidate["layers"]]
    return candidate | {"scores": _finite(candidate["scores"]), "layers": layers}


def _finite(scores: Mapping[str, float]) -> dict[str, float | None]:
    return {name: value if math.isfinite(value) else None for name, value in scores.items()}
