"""What each layer of a model would reach: the profile over depth."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

__all__ = ["LayerEvaluation", "best_layer"]


@dataclass(frozen=True, slots=True)
class LayerEvaluation:
    """One layer's features on the dataset.

    Attributes:
        layer: From 0, the embeddings.
        value: Predicted metric on unseen rows.
        n_features: Feature width.
        scores: Score name to value.
    """

    layer: int
    value: float
    n_features: int
    scores: Mapping[str, float]


def best_layer(values: Sequence[float]) -> int:
    """The layer with the highest value; of equals the later one, which the model ends nearer to."""
    return max(range(len(values)), key=lambda layer: (values[layer], layer))
