"""Ranking: the answer. Candidates in order, with intervals, ties, costs, reasons and failures."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from transferscore import report
from transferscore.errors import EncoderError, MissingExtraError
from transferscore.ranking.decision import Decision
from transferscore.ranking.distance_from_source import SourceDistance
from transferscore.ranking.layers import LayerEvaluation
from transferscore.strategies.cost import Cost
from transferscore.strategies.outlook import CurvePoint

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Candidate", "Failure", "Prediction", "Ranking", "Unavailable"]

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
        strategy: How it is adapted, such as "linear_probe" or "full".
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
        trainable_parameters: Weights that the strategy trains, the new head among them; None where
            strategies were not asked for or the model cannot be looked into.
        cost: What training takes, and whether it keeps to the limits; None likewise.
        pareto: Whether no candidate beats it in expected metric, time and memory at once.
        basis: What the prediction rests on.
        reason: Why it stands where it does, in a sentence.
        recipe: How to train, library arguments included.
        learning_curve: What it would reach with fewer labels.
        distance: How far the dataset lies from the model's source, where that can be known.
        prior: What training the same model reached before, as `transferscore verify` measured it.
        metrics: The predicted metric, and another that is stated beside it, by name.
        baseline: Whether this is no pretrained model at all, but what simple features reach.
        p_beats_baseline: Probability that it beats the baseline; None where it was not compared.
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
    trainable_parameters: int | None = None
    cost: Cost | None = None
    pareto: bool | None = None
    basis: str = "held-out probe"
    reason: str | None = None
    recipe: Mapping[str, Any] | None = None
    learning_curve: tuple[CurvePoint, ...] = ()
    prior: tuple[dict[str, Any], ...] = ()
    distance: SourceDistance | None = None
    metrics: Mapping[str, float] = field(default_factory=dict)
    baseline: bool = False
    p_beats_baseline: float | None = None


@dataclass(frozen=True, slots=True)
class Unavailable:
    """A strategy that a model cannot take, and why."""

    model: str
    strategy: str
    reason: str


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
        unavailable: Strategies that a model cannot take.
        limits: What training may take, where limits were set.
        decision: Which pair to take and the evidence for it, where strategies were asked for.
    """

    dataset: Mapping[str, Any]
    candidates: tuple[Candidate, ...]
    failures: tuple[Failure, ...] = ()
    warnings: tuple[str, ...] = ()
    expected_regret: float | None = None
    unavailable: tuple[Unavailable, ...] = ()
    limits: Mapping[str, Any] | None = None
    decision: Decision | None = None

    @property
    def best(self) -> Candidate:
        """The first candidate that is no baseline.

        Raises:
            EncoderError: No candidate could be ranked.
        """
        for candidate in self.candidates:
            if not candidate.baseline:
                return candidate
        reason = self.failures[0].message if self.failures else "there were none."
        raise EncoderError(f"No candidate could be ranked; the first reason: {reason}")

    def to_dict(self) -> dict[str, Any]:
        """The ranking as the JSON document of `transferscore rank --format json`."""
        return {
            "schema_version": _SCHEMA_VERSION,
            "dataset": dict(self.dataset),
            "candidates": [_jsonable(asdict(candidate)) for candidate in self.candidates],
            "failures": [asdict(failure) for failure in self.failures],
            "warnings": list(self.warnings),
            "expected_regret": self.expected_regret,
            "unavailable": [asdict(each) for each in self.unavailable],
            "limits": None if self.limits is None else dict(self.limits),
            "decision": None if self.decision is None else _plain(self.decision.to_dict()),
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
    finite = {"scores": _finite(candidate["scores"]), "layers": layers}
    return _plain(candidate | finite)  # type: ignore[no-any-return]


def _plain(value: Any) -> Any:
    """Lists where there are tuples, so that the document is what JSON gives back."""
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, tuple | list) else value


def _finite(scores: Mapping[str, float]) -> dict[str, float | None]:
    return {name: value if math.isfinite(value) else None for name, value in scores.items()}
