"""Evaluation: one candidate's scores and held-out losses, before candidates are compared."""

from __future__ import annotations

import hashlib
import json
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from transferscore.datasets import Dataset
from transferscore.features import Entry, Features
from transferscore.ranking.distance_from_source import SourceDistance
from transferscore.ranking.layers import LayerEvaluation, best_layer
from transferscore.ranking.prediction import held_out_metric
from transferscore.ranking.scored_rows import scored_rows
from transferscore.scores.catalogue import compute_scores
from transferscore.scores.registry import RANKING_SCORES, SCORES, applicable_scores
from transferscore.statistics import Statistics

__all__ = ["Evaluation", "evaluate", "evaluation_key", "evaluation_of_entry"]


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What one candidate's features say of the dataset.

    Attributes:
        value: Predicted metric on unseen rows, of the dataset's task.
        row_losses: `(m,)` whose mean is 1 - value.
        rows: `(m,)` positions in the dataset that the losses belong to: rows, or groups of them.
        scores: Name to value.
        n_features: Feature width.
        unreadable: Position in the dataset to reason, for samples that the model could not read.
        warnings: What the scores warned of.
        layers: Where all layers were asked for, what each would reach; all above is of the best.
        layer: That best one.
        metrics: The task's metric and the one stated beside it, by name.
        distance: How far the dataset lies from the model's source, where that can be known.
        n_rows: How many rows the probe is fitted to; None where that is the number of losses.
    """

    value: float
    row_losses: NDArray[np.float64]
    rows: NDArray[np.int64]
    scores: dict[str, float]
    n_features: int
    unreadable: dict[int, str]
    warnings: tuple[str, ...]
    layers: tuple[LayerEvaluation, ...] = ()
    layer: int | None = None
    metrics: Mapping[str, float] = field(default_factory=dict)
    distance: SourceDistance | None = None
    n_rows: int | None = None

    def to_entry(self) -> Entry:
        """As arrays and a description, for the store."""
        about = {
            "value": self.value,
            "scores": self.scores,
            "n_features": self.n_features,
            "unreadable": {str(row): why for row, why in self.unreadable.items()},
            "warnings": list(self.warnings),
            "layers": [asdict(layer) for layer in self.layers],
            "layer": self.layer,
            "metrics": dict(self.metrics),
            "distance": None if self.distance is None else asdict(self.distance),
            "n_rows": self.n_rows,
        }
        return Entry({"row_losses": self.row_losses, "rows": self.rows}, about)


def evaluation_of_entry(entry: Entry) -> Evaluation:
    """The inverse of `Evaluation.to_entry`."""
    about = entry.about
    return Evaluation(
        about["value"],
        entry.arrays["row_losses"],
        entry.arrays["rows"],
        about["scores"],
        about["n_features"],
        {int(row): why for row, why in about["unreadable"].items()},
        tuple(about["warnings"]),
        tuple(LayerEvaluation(**layer) for layer in about["layers"]),
        about["layer"],
        about["metrics"],
        None if about["distance"] is None else SourceDistance(**about["distance"]),
        about["n_rows"],
    )


def evaluation_key(
    encoder_digest: str,
    dataset: Dataset,
    digests: Sequence[str],
    scores: Sequence[str] | None,
    fingerprint: str = "",
) -> str:
    """Hex digest of all that an evaluation depends on.

    That is the model, the samples, their labels, the task, the scores and the fingerprint's digest.
    """
    parts = [
        "evaluation-9",
        encoder_digest,
        dataset.task.kind,
        json.dumps(scores),
        fingerprint,
        hashlib.sha256(np.ascontiguousarray(dataset.labels).tobytes()).hexdigest(),
        "" if dataset.groups is None else hashlib.sha256(dataset.groups.tobytes()).hexdigest(),
        *digests,
    ]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def evaluate(features: Features, dataset: Dataset, scores: Sequence[str] | None) -> Evaluation:
    """Scores and leave-one-out losses of one candidate's features.

    Where the features are of all layers, each is evaluated, and the best stands for the candidate.

    Raises:
        InputError: The features are not finite, or too few samples could be read.
    """
    if not features.layers:
        return _evaluate_layer(features, dataset, scores)
    evaluations = [
        _evaluate_layer(replace(features, values=values, layers=()), dataset, scores)
        for values in features.layers
    ]
    layers = [
        LayerEvaluation(i, e.value, e.n_features, e.scores) for i, e in enumerate(evaluations)
    ]
    best = best_layer([layer.value for layer in layers])
    return replace(evaluations[best], layers=tuple(layers), layer=best)


def _evaluate_layer(
    features: Features, dataset: Dataset, scores: Sequence[str] | None
) -> Evaluation:
    rows, task = scored_rows(features, dataset), dataset.task
    logits = None if features.logits is None else features.logits[rows.kept]
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", RuntimeWarning)
        statistics = Statistics(
            features.values[rows.kept],
            rows.labels,
            task=task.scored_as,
            source_logits=logits,
        )
        names = _computable(scores, task.scored_as, has_source=logits is not None)
        values = compute_scores(statistics, names, task.scored_as)
        held_out = held_out_metric(statistics, task, rows.groups)
    warned = [note for note in (rows.lost, _cut_note(features, dataset)) if note]
    return Evaluation(
        held_out.value,
        held_out.losses,
        rows.units,
        values,
        statistics.n_features,
        dict(features.unreadable),
        tuple(dict.fromkeys([*warned, *(str(warning.message) for warning in caught)])),
        metrics=held_out.metrics,
        n_rows=None if rows.groups is None else statistics.n_samples,
    )


def _cut_note(features: Features, dataset: Dataset) -> str:
    """What a reader should know of texts that the model did not read to their ends."""
    if not features.n_cut or dataset.modality == "tokens":
        return ""
    share = features.n_cut / len(dataset)
    return (
        f"{features.n_cut} of {len(dataset)} texts ({share:.1%}) are longer than the model reads, "
        f"and the rest of each was cut off."
    )


def _computable(scores: Sequence[str] | None, task: str, *, has_source: bool) -> list[str]:
    """The scores asked for, less those that read source classes of a model without a classifier."""
    if scores is None:
        applicable = applicable_scores(task, has_source=has_source)
        return [info.name for info in applicable if info.name in RANKING_SCORES]
    missing = [name for name in scores if SCORES[name].needs_source and not has_source]
    if missing:
        warnings.warn(
            f"{', '.join(missing)} not computed: the model has no source-class probabilities.",
            RuntimeWarning,
            stacklevel=2,
        )
    return [name for name in scores if name not in missing]
