"""What is computed once from features and labels, and used by every score."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from transferscore.datasets.task import task_named
from transferscore.errors import InputError
from transferscore.statistics.moments import Moments, moments
from transferscore.statistics.ridge import HeldOut, held_out_one
from transferscore.statistics.rows import check_features, feature_mean, row_blocks
from transferscore.statistics.spectrum import (
    Spectrum,
    spectrum_of_features,
    spectrum_of_moments,
)
from transferscore.statistics.targets import Targets, class_targets, real_targets

__all__ = ["Statistics"]


class Statistics:
    """Checked features and labels, and what scores share, each computed at first use.

    Attributes:
        features: `(n, d)`, finite, as passed.
        targets: The labels as columns.
        source_probabilities: `(n, C)` float64 of the model's own classes, or None.
        source_logits: `(n, C)` from which a softmax makes such probabilities, or None.
    """

    def __init__(
        self,
        features: ArrayLike,
        labels: ArrayLike,
        *,
        task: str = "classification",
        source_probabilities: ArrayLike | None = None,
        source_logits: ArrayLike | None = None,
    ) -> None:
        """Check the input and keep it.

        Args:
            features: `(n_samples, n_features)`.
            labels: `(n_samples,)` classes of any type; `(n_samples,)` or `(n_samples, m)` numbers
                for the tasks "regression" and "multilabel".
            task: "classification", "multilabel" or "regression".
            source_probabilities: `(n_samples, n_source_classes)`, non-negative, used as they are.
            source_logits: `(n_samples, n_source_classes)`.

        Raises:
            InputError: Shapes do not match, a value is NaN or infinite, or one class only.
            UnknownNameError: No task of that name.
        """
        self.features = check_features(features)
        make = class_targets if task_named(task).kind == "classification" else real_targets
        self.targets: Targets = make(labels, len(self.features))
        self.source_probabilities = _check_probabilities(source_probabilities, len(self.features))
        self.source_logits = _check_source(source_logits, len(self.features), "source_logits")

    @property
    def n_samples(self) -> int:
        """Number of rows n."""
        return len(self.features)

    @property
    def n_features(self) -> int:
        """Number of features d."""
        return int(self.features.shape[1])

    @cached_property
    def moments(self) -> Moments:
        """Mergeable moments; d x d, so on wide features with few rows the spectrum avoids them."""
        return moments(self.features, self.targets)

    @property
    def mean(self) -> NDArray[np.float64]:
        """Mean of the features `(d,)`."""
        return self.moments.mean if self._feature_side else self._mean

    @property
    def norm_fourth(self) -> float:
        """Sum over rows of the fourth power of the centred norm."""
        return self.moments.norm_fourth if self._feature_side else self._norm_fourth

    @property
    def target_mean(self) -> NDArray[np.float64]:
        """Mean of each target column `(m,)`; class shares for classes."""
        return self._target_moments[0]

    @property
    def target_scatter(self) -> NDArray[np.float64]:
        """Sum of squares of each target column about its mean `(m,)`."""
        return self._target_moments[1]

    @cached_property
    def spectrum(self) -> Spectrum:
        """The one eigendecomposition: d x d when n >= d, n x n when n < d."""
        if self._feature_side:
            return spectrum_of_moments(self.moments)
        return spectrum_of_features(self.features, self.mean, self.targets)

    @cached_property
    def held_out(self) -> HeldOut:
        """Leave-one-out ridge predictions over a path of penalties."""
        return held_out_one(self.features, self.mean, self.targets, self.spectrum)

    @property
    def _feature_side(self) -> bool:
        return self.n_samples >= self.n_features

    @cached_property
    def _target_moments(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        mean = self.targets.mean()
        return mean, np.sum((self.targets.matrix() - mean) ** 2, axis=0)

    @cached_property
    def _mean(self) -> NDArray[np.float64]:
        return feature_mean(self.features)

    @cached_property
    def _norm_fourth(self) -> float:
        total = 0.0
        for block in row_blocks(*self.features.shape):
            squared = np.sum((self.features[block] - self._mean) ** 2, axis=1)
            total += float(squared @ squared)
        return total


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
    array = check_features(source, name).astype(np.float64, copy=False)
    if len(array) != n:
        raise InputError(
            f"`{name}` must have one row per row of `features` ({n}); got {len(array)}."
        )
    return array
