"""Two samples in one encoder's space, checked once, with what several distances share."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from transferscore.distances.fingerprint import Fingerprint
from transferscore.distances.gaussian import Gaussian, gaussian_of
from transferscore.distances.prototypes import Prototypes, class_codes, prototypes_of
from transferscore.errors import InputError
from transferscore.statistics.rows import check_features

__all__ = ["MAX_KERNEL_ROWS", "MAX_TRANSPORT_ROWS", "Pair", "Sample", "Side", "seeded_rows"]

MAX_KERNEL_ROWS = 5000
MAX_TRANSPORT_ROWS = 2000


@dataclass(frozen=True, slots=True)
class Sample:
    """Rows `(n, d)` float64 about a common centre in a common unit, and their class ids."""

    features: NDArray[np.float64]
    codes: NDArray[np.int64] | None

    def __len__(self) -> int:
        return len(self.features)


@dataclass(frozen=True, slots=True)
class Side:
    """One side of a comparison.

    Attributes:
        features: `(n, d)` checked rows; the coreset of a fingerprint.
        codes: `(n,)` class ids, or None.
        fingerprint: What the rows are the coreset of, or None.
    """

    features: NDArray[Any]
    codes: NDArray[np.int64] | None
    fingerprint: Fingerprint | None

    def gaussian(self) -> Gaussian:
        """Moments of all rows: exact for a fingerprint too."""
        return self.fingerprint.gaussian if self.fingerprint else gaussian_of(self.features)

    def mean(self) -> NDArray[np.float64]:
        """Mean of all rows `(d,)`, without the work of a covariance."""
        if self.fingerprint is not None:
            return self.fingerprint.gaussian.mean
        return np.asarray(self.features.mean(axis=0, dtype=np.float64))

    def take(self, rows: NDArray[np.int64]) -> Side:
        """Some rows, with their classes."""
        codes = None if self.codes is None else self.codes[rows]
        return Side(self.features[rows], codes, self.fingerprint)

    def prototypes(self) -> Prototypes | None:
        """Class prototypes, or None without labels."""
        if self.fingerprint is not None:
            return self.fingerprint.prototypes
        return None if self.codes is None else prototypes_of(self.features, self.codes)


class Pair:
    """Checked source and target.

    Attributes:
        source: The source side.
        target: The target side.
        seed: Of every subsample, projection and fold.
    """

    def __init__(
        self,
        source_features: ArrayLike | Fingerprint,
        target_features: ArrayLike | Fingerprint,
        *,
        source_labels: ArrayLike | None = None,
        target_labels: ArrayLike | None = None,
        seed: int = 0,
    ) -> None:
        """Check both sides.

        Args:
            source_features: `(n_source, d)`, or a fingerprint.
            target_features: `(n_target, d)`, or a fingerprint.
            source_labels: `(n_source,)` classes of any type; a fingerprint brings its own.
            target_labels: `(n_target,)`, likewise.
            seed: Of every random choice.

        Raises:
            InputError: A side is empty or not finite, labels do not match rows, or the widths
                differ.
        """
        self.source = _side(source_features, source_labels, "source")
        self.target = _side(target_features, target_labels, "target")
        self.seed = seed
        width_s, width_t = self.source.features.shape[1], self.target.features.shape[1]
        if width_s != width_t:
            raise InputError(
                "`source_features` and `target_features` must come from the same encoder and have "
                f"as many columns; got {width_s} and {width_t}."
            )

    @property
    def has_labels(self) -> bool:
        """Whether both sides have class labels."""
        return self.source.codes is not None and self.target.codes is not None

    @property
    def means(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Means of both sides."""
        return self.source.mean(), self.target.mean()

    @cached_property
    def gaussians(self) -> tuple[Gaussian, Gaussian]:
        """Moments of both sides."""
        return self.source.gaussian(), self.target.gaussian()

    def spread_gaussians(self, name: str) -> tuple[Gaussian, Gaussian]:
        """Moments of both sides, for distances that need covariances.

        Raises:
            InputError: A side has one row only.
        """
        _check_two(name, [gaussian.count for gaussian in self.gaussians])
        return self.gaussians

    def check_two_rows(self, name: str) -> None:
        """Refuse a side of one row, which has no two rows to compare.

        Raises:
            InputError: A side has one row only.
        """
        _check_two(name, [len(side.features) for side in (self.source, self.target)])

    def samples(self, limit: int, *, same_size: bool) -> tuple[Sample, Sample, float]:
        """Rows of both sides, centred between the two means, and the unit they are counted in.

        A distance between them is one between the features divided by the unit, a power of two.

        Args:
            limit: Most rows a side; above it a seeded sample is drawn.
            same_size: Whether both sides get the same number of rows when one is above the limit,
                for estimators whose value depends on the number.
        """
        n, m = len(self.source.features), len(self.target.features)
        if max(n, m) > limit and same_size:
            return self.equal_samples(limit)
        return self._normalised(self._rows(min(n, limit), min(m, limit)))

    def equal_samples(self, limit: int) -> tuple[Sample, Sample, float]:
        """As `samples`, always with the same number of rows on both sides."""
        return self._normalised(self.equal_rows(limit))

    def equal_rows(self, limit: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Seeded row numbers, as many of either side, at most `limit`."""
        size = min(len(self.source.features), len(self.target.features), limit)
        return self._rows(size, size)

    def _rows(self, n: int, m: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        source = seeded_rows(len(self.source.features), n, self.seed)
        return source, seeded_rows(len(self.target.features), m, self.seed)

    def _normalised(
        self, rows: tuple[NDArray[np.int64], NDArray[np.int64]]
    ) -> tuple[Sample, Sample, float]:
        source, target = self.source.take(rows[0]), self.target.take(rows[1])
        a, b = source.features.astype(np.float64), target.features.astype(np.float64)
        center = 0.5 * a.mean(axis=0) + 0.5 * b.mean(axis=0)
        a -= center
        b -= center
        largest = max(float(np.abs(a).max()), float(np.abs(b).max()))
        # Beyond 2^900 either way the unit itself would leave float64.
        unit = 2.0 ** np.clip(np.floor(np.log2(largest)), -900, 900) if largest > 0.0 else 1.0
        return Sample(a / unit, source.codes), Sample(b / unit, target.codes), float(unit)


def seeded_rows(n: int, size: int, seed: int) -> NDArray[np.int64]:
    """Sorted `size` of n rows.

    The choice depends on nothing but its arguments, so that swapping the sides swaps the rows and
    a sample compared with itself keeps the same rows on both sides.
    """
    if size >= n:
        return np.arange(n)
    return np.sort(np.random.default_rng(seed).permutation(n)[:size])


def _check_two(name: str, counts: list[int]) -> None:
    for word, count in zip(("source", "target"), counts, strict=True):
        if count < 2:
            raise InputError(
                f"The distance {name} needs at least two rows on each side; "
                f"`{word}_features` has one."
            )


def _side(features: ArrayLike | Fingerprint, labels: ArrayLike | None, name: str) -> Side:
    if isinstance(features, Fingerprint):
        if labels is not None:
            raise InputError(
                f"`{name}_labels` must not be given with a fingerprint, which brings its own; "
                "give them to fingerprint_of."
            )
        return Side(features.coreset, features.coreset_codes, features)
    array = check_features(features, f"{name}_features")
    codes = None if labels is None else class_codes(labels, len(array), f"{name}_labels")
    return Side(array, codes, None)
