"""Labelled rows: features with their targets, and what the model's own classifier says of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from transferscore.datasets.task import task_named
from transferscore.errors import InputError
from transferscore.statistics.rows import check_features
from transferscore.statistics.source import SourceClasses
from transferscore.statistics.targets import Targets, class_targets, joined_targets, real_targets

__all__ = ["LabelledRows", "check_rows", "joined_rows"]


@dataclass(frozen=True, slots=True)
class LabelledRows:
    """Checked rows of one sample.

    Attributes:
        features: `(n, d)`, finite.
        targets: The labels as columns.
        source_probabilities: `(n, C)` of the model's own classes, or None.
        source_logits: `(n, C)` from which a softmax makes such probabilities, or None.
    """

    features: NDArray[Any]
    targets: Targets
    source_probabilities: NDArray[Any] | None = None
    source_logits: NDArray[Any] | None = None

    def __len__(self) -> int:
        return len(self.features)

    @property
    def source(self) -> SourceClasses | None:
        """The model's own class probabilities, of its logits where these alone are known."""
        if self.source_probabilities is not None:
            return SourceClasses(self.source_probabilities)
        if self.source_logits is not None:
            return SourceClasses(self.source_logits, are_logits=True)
        return None

    def take(self, rows: NDArray[np.int64]) -> LabelledRows:
        """Some of the rows, with the same target columns."""
        probabilities, logits = self.source_probabilities, self.source_logits
        return LabelledRows(
            self.features[rows],
            self.targets.take(rows),
            None if probabilities is None else probabilities[rows],
            None if logits is None else logits[rows],
        )


def check_rows(
    features: ArrayLike,
    labels: ArrayLike,
    *,
    task: str,
    source_probabilities: ArrayLike | None = None,
    source_logits: ArrayLike | None = None,
    in_part: bool = False,
) -> LabelledRows:
    """The rows, checked.

    Args:
        features: `(n, d)`.
        labels: `(n,)` or `(n, m)`.
        task: "classification", "multilabel" or "regression".
        source_probabilities: `(n, C)`, non-negative, some above zero in each row.
        source_logits: `(n, C)`.
        in_part: Whether these are some rows of more, so that they may show one class only.

    Raises:
        InputError: Shapes do not match, a value is NaN or infinite, or one class only.
        UnknownNameError: No task of that name.
    """
    make = class_targets if task_named(task).scored_as == "classification" else real_targets
    array = check_features(features)
    return LabelledRows(
        array,
        make(labels, len(array), in_part=in_part),
        _check_probabilities(source_probabilities, len(array)),
        _check_source(source_logits, len(array), "source_logits"),
    )


def joined_rows(parts: Sequence[LabelledRows]) -> LabelledRows:
    """The rows of all parts, one part after another.

    Raises:
        InputError: Other widths or kinds of labels, or source outputs for some parts only.
    """
    if len(widths := sorted({part.features.shape[1] for part in parts})) > 1:
        raise InputError(f"All `features` must have the same width; got {widths}.")
    return LabelledRows(
        np.concatenate([part.features for part in parts]),
        joined_targets([part.targets for part in parts]),
        _joined_source([part.source_probabilities for part in parts], "source_probabilities"),
        _joined_source([part.source_logits for part in parts], "source_logits"),
    )


def _joined_source(parts: Sequence[NDArray[Any] | None], name: str) -> NDArray[Any] | None:
    """Source outputs of all parts, or None where none has any.

    Raises:
        InputError: Some parts have them and some not, or they are of other source classes.
    """
    given = [part for part in parts if part is not None]
    if len(given) not in {0, len(parts)}:
        raise InputError(f"`{name}` must be given for all rows or for none; got them for some.")
    if len(widths := sorted({part.shape[1] for part in given})) > 1:
        raise InputError(f"`{name}` must have the same source classes for all rows; got {widths}.")
    return np.concatenate(given) if given else None


def _check_probabilities(probabilities: ArrayLike | None, n: int) -> NDArray[Any] | None:
    array = _check_source(probabilities, n, "source_probabilities")
    if array is None:
        return None
    if array.min() < 0.0:
        row = int(np.argmax(array.min(axis=1) < 0.0))
        raise InputError(
            f"`source_probabilities` must not be negative; row {row} is. "
            "Logits become probabilities by a softmax."
        )
    if (empty := array.max(axis=1) == 0.0).any():
        raise InputError(
            f"`source_probabilities` must have a class above zero in every row; "
            f"row {int(empty.argmax())} has none."
        )
    return array


def _check_source(source: ArrayLike | None, n: int, name: str) -> NDArray[Any] | None:
    if source is None:
        return None
    array = check_features(source, name)
    if len(array) != n:
        raise InputError(
            f"`{name}` must have one row per row of `features` ({n}); got {len(array)}."
        )
    return array
