"""What is computed once from features and labels, and used by every score."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from transferscore.errors import InputError
from transferscore.statistics.labelled import LabelledRows, check_rows
from transferscore.statistics.moments import Moments, moments, target_products
from transferscore.statistics.ridge import Fitted, HeldOut, held_out_one
from transferscore.statistics.rows import feature_mean, release_pages, row_blocks
from transferscore.statistics.saved import load_summary, save_summary, summary_from, summary_to
from transferscore.statistics.source import SourceClasses
from transferscore.statistics.spectrum import (
    Spectrum,
    spectrum_of_features,
    spectrum_of_moments,
)
from transferscore.statistics.summary import Summary, add_rows, merge_summaries, summary_of
from transferscore.statistics.targets import Targets, not_varying, one_class_only

__all__ = ["Statistics"]

_NO_ROWS = (
    "This score reads rows, and these statistics were made with sample_size=0. "
    "Make them with a sample, or ask for scores that live on moments."
)


class Statistics:
    """Checked features and labels, and what scores share, each computed at first use.

    Made from rows in memory they hold the rows, and every score is exact. Merged, or read from a
    file, they hold moments of all rows and a bounded sample of the rows: scores that live on
    moments are as exact, the others are computed on the sample. A merged one whose sample holds
    every row is as good as one made from the rows.

    Attributes:
        task: "classification", "multilabel" or "regression".

    Examples:
        >>> first = Statistics([[1, 0], [2, 1], [0, 1]], ["a", "a", "b"])
        >>> second = Statistics([[1, 2], [3, 1]], ["b", "c"])
        >>> merged = first.merge(second).add([[2, 2]], ["c"])
        >>> merged.n_samples, merged.classes.tolist(), merged.class_counts.tolist()
        (6, ['a', 'b', 'c'], [2, 2, 2])
        >>> Statistics.from_bytes(merged.to_bytes()).n_samples
        6
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
            source_logits: `(n_samples, n_source_classes)`, whose softmax the probabilities are
                where they are not given.

        Raises:
            InputError: Shapes do not match, a value is NaN or infinite, or one class only.
            UnknownNameError: No task of that name.
        """
        self.task = task
        self._rows: LabelledRows | None = check_rows(
            features,
            labels,
            task=task,
            source_probabilities=source_probabilities,
            source_logits=source_logits,
        )

    @classmethod
    def of_summary(cls, summary: Summary) -> Statistics:
        """Statistics of rows that are kept in summary only."""
        made = cls.__new__(cls)
        made.task = summary.task
        made._rows = summary.sample.rows if summary.is_whole else None
        made.summary = summary
        return made

    def add(
        self,
        features: ArrayLike,
        labels: ArrayLike,
        *,
        source_probabilities: ArrayLike | None = None,
        source_logits: ArrayLike | None = None,
    ) -> Statistics:
        """The statistics of these rows and some more, which may be of new classes.

        Every call costs some passes over a d x d matrix: add at least some d rows at a time.

        Raises:
            InputError: As when statistics are made, or another width or other kinds of labels.
        """
        rows = check_rows(
            features,
            labels,
            task=self.task,
            source_probabilities=source_probabilities,
            source_logits=source_logits,
            in_part=True,
        )
        grown = add_rows(self.summary, rows)
        release_pages(features)
        return Statistics.of_summary(grown)

    def merge(self, other: Statistics) -> Statistics:
        """The statistics of the rows of both; the order of merging changes nothing.

        Raises:
            InputError: Other tasks, widths, kinds of labels or seeds.
        """
        return Statistics.of_summary(merge_summaries(self.summary, other.summary))

    def to_bytes(self) -> bytes:
        """All that merging and scoring need, as a safetensors file with a JSON header."""
        return summary_to(self.summary)

    @classmethod
    def from_bytes(cls, content: bytes) -> Statistics:
        """What `to_bytes` made; nothing in it is ever run.

        Raises:
            InputError: It is damaged, or something else.
        """
        return cls.of_summary(summary_from(content))

    def save(self, path: str | Path) -> None:
        """Write `to_bytes` to a file, whole or not at all; an existing file is replaced.

        Raises:
            InputError: The file cannot be written.
        """
        save_summary(self.summary, path)

    @classmethod
    def load(cls, path: str | Path) -> Statistics:
        """What `save` wrote; nothing in it is ever run.

        Raises:
            InputError: The file is missing, damaged, or something else.
        """
        return cls.of_summary(load_summary(path))

    @cached_property
    def summary(self) -> Summary:
        """What is mergeable: moments of all rows and a bounded sample of the rows."""
        return summary_of(self._all_rows, self.task)

    @property
    def has_rows(self) -> bool:
        """Whether every row is at hand, so that every score is exact."""
        return self._rows is not None

    @property
    def n_at_hand(self) -> int:
        """Number of rows that are at hand: all, or those of the sample."""
        return len(self._rows if self._rows is not None else self.summary.sample.rows)

    @cached_property
    def sampled(self) -> Statistics:
        """The statistics of the rows that are at hand: these, where all are.

        Raises:
            InputError: No row is at hand, or only rows of one class.
        """
        if self._rows is not None:
            return self
        self.check_varying()
        rows = self.summary.sample.rows
        if len(rows) == 0:
            raise InputError(_NO_ROWS)
        targets = rows.targets
        labels = targets.matrix() if targets.codes is None else self.classes[targets.codes]
        return Statistics(
            rows.features,
            labels,
            task=self.task,
            source_probabilities=rows.source_probabilities,
            source_logits=rows.source_logits,
        )

    def check_varying(self) -> None:
        """Refuse to score what was merged of one label only, as a part of more may be.

        Raises:
            InputError: All labels are the same.
        """
        if "summary" not in vars(self):
            return
        moments = self.summary.moments
        if self.summary.classes is not None and len(self.summary.classes) < 2:
            raise one_class_only(self.summary.classes, moments.count)
        if not np.any(np.diag(moments.target_scatter) > 0.0):
            raise not_varying(moments.target_mean, moments.count)

    @property
    def features(self) -> NDArray[Any]:
        """All rows `(n, d)`, finite, as passed."""
        return self._all_rows.features

    @property
    def targets(self) -> Targets:
        """The labels of all rows as columns."""
        return self._all_rows.targets

    @property
    def source(self) -> SourceClasses | None:
        """Probabilities of the model's own classes, given or from its logits, or None."""
        return self._all_rows.source

    @property
    def source_logits(self) -> NDArray[Any] | None:
        """`(n, C)` from which a softmax makes such probabilities, or None."""
        return self._all_rows.source_logits

    @property
    def has_source(self) -> bool:
        """Whether source classes of the rows at hand are known."""
        rows = self._rows if self._rows is not None else self.summary.sample.rows
        return rows.source is not None

    @property
    def n_samples(self) -> int:
        """Number of rows n."""
        return len(self._rows) if self._rows is not None else self.summary.moments.count

    @property
    def n_features(self) -> int:
        """Number of features d."""
        rows = self._rows if self._rows is not None else self.summary.sample.rows
        return int(rows.features.shape[1])

    @property
    def is_classes(self) -> bool:
        """Whether each sample has exactly one class."""
        return self.task == "classification"

    @property
    def classes(self) -> NDArray[Any]:
        """The labels that target columns stand for `(K,)`, sorted. Classes only."""
        classes = self.summary.classes if self._rows is None else self._rows.targets.classes
        if classes is None:
            raise InputError("The labels are numbers: they have no classes.")
        return classes

    @property
    def class_counts(self) -> NDArray[np.int64]:
        """Samples in each class `(K,)`. Classes only."""
        if self._rows is not None:
            return self._rows.targets.counts()
        counts = self.summary.moments.count * self.summary.moments.target_mean
        return np.rint(counts).astype(np.int64)

    @property
    def n_columns(self) -> int:
        """Number of classes, or of outputs."""
        return len(self.target_mean)

    @cached_property
    def moments(self) -> Moments:
        """Mergeable moments; d x d, so on wide features with few rows the spectrum avoids them."""
        if "summary" in vars(self):
            return self.summary.moments
        return moments(self.features, self.targets)

    @property
    def mean(self) -> NDArray[np.float64]:
        """Mean of the features `(d,)`."""
        return self.moments.mean if self._on_feature_side else self._mean

    @property
    def norm_fourth(self) -> float:
        """Sum over rows of the fourth power of the centred norm."""
        return self.moments.norm_fourth if self._on_feature_side else self._norm_fourth

    @property
    def target_mean(self) -> NDArray[np.float64]:
        """Mean of each target column `(m,)`; class shares for classes."""
        return self._target_moments[0]

    @property
    def target_scatter(self) -> NDArray[np.float64]:
        """Sum of squares of each target column about its mean `(m,)`."""
        return self._target_moments[1]

    @property
    def target_products(self) -> NDArray[np.float64]:
        """Sum over rows of products of any two centred target columns `(m, m)`."""
        if self._rows is None:
            return self.summary.moments.target_scatter
        return target_products(self._rows.targets)

    @cached_property
    def spectrum(self) -> Spectrum:
        """The one eigendecomposition: d x d when n >= d or rows are gone, n x n when n < d."""
        if self._on_feature_side:
            self.check_varying()
            return spectrum_of_moments(self.moments)
        return spectrum_of_features(self.features, self.mean, self.targets)

    @cached_property
    def held_out(self) -> HeldOut:
        """Leave-one-out ridge predictions of the rows at hand over a path of penalties.

        Fitted to all rows, also those that are not at hand.
        """
        rows = self._rows if self._rows is not None else self.summary.sample.rows
        if len(rows) == 0:
            raise InputError(_NO_ROWS)
        return held_out_one(rows.features, rows.targets, self.fitted)

    @property
    def fitted(self) -> Fitted:
        """What a ridge regression of the targets on the features is fitted to."""
        return Fitted(
            self.n_samples, self.mean, self.target_mean, self.target_scatter, self.spectrum
        )

    @property
    def _all_rows(self) -> LabelledRows:
        if self._rows is None:
            kept = len(self.summary.sample.rows)
            raise InputError(
                f"Of the {self.n_samples} rows of these statistics {kept} were kept, as a sample: "
                "what needs rows is to be computed of `statistics.sampled`."
            )
        if "summary" in vars(self):
            self.check_varying()
        return self._rows

    @property
    def _on_feature_side(self) -> bool:
        return self._rows is None or self.n_samples >= self.n_features

    @cached_property
    def _target_moments(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        if self._rows is None:
            own = self.summary.moments
            return own.target_mean, np.diag(own.target_scatter).copy()
        targets = self._rows.targets
        mean = targets.mean()
        return mean, np.sum((targets.matrix() - mean) ** 2, axis=0)

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
