"""Labels as columns: what every formula multiplies features with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from transferscore.errors import InputError

__all__ = ["Targets", "class_targets", "real_targets"]


@dataclass(frozen=True, slots=True)
class Targets:
    """Checked labels of n samples as m columns.

    Attributes:
        codes: `(n,)` int64 in [0, m) for classes, whose columns are the 0/1 indicators; None for
            real-valued targets.
        values: `(n, m)` float64 for real-valued (and multilabel) targets; None for classes.
        n_columns: m, the number of classes or outputs.
    """

    codes: NDArray[np.int64] | None
    values: NDArray[np.float64] | None
    n_columns: int

    def __len__(self) -> int:
        return len(self.codes) if self.codes is not None else len(self.matrix())

    @property
    def is_classes(self) -> bool:
        """Whether each sample has exactly one class."""
        return self.codes is not None

    def matrix(self, rows: slice | NDArray[np.int64] | None = None) -> NDArray[np.float64]:
        """The columns as a dense `(len(rows), m)` float64 matrix."""
        rows = slice(None) if rows is None else rows
        if self.codes is None:
            return self.values[rows] if self.values is not None else np.empty((0, self.n_columns))
        codes = self.codes[rows]
        indicators = np.zeros((len(codes), self.n_columns))
        indicators[np.arange(len(codes)), codes] = 1.0
        return indicators

    def counts(self) -> NDArray[np.int64]:
        """Samples in each class `(m,)`. Classes only."""
        return np.bincount(self.class_codes(), minlength=self.n_columns)

    def class_codes(self) -> NDArray[np.int64]:
        """The class ids.

        Raises:
            InputError: The targets are not classes.
        """
        if self.codes is None:
            raise InputError("This score needs one class a sample; the labels are real-valued.")
        return self.codes

    def take(self, rows: NDArray[np.int64]) -> Targets:
        """The targets of some rows, with the same columns."""
        codes = None if self.codes is None else self.codes[rows]
        values = None if self.values is None else self.values[rows]
        return Targets(codes, values, self.n_columns)


def class_targets(labels: ArrayLike, n_samples: int) -> Targets:
    """Class labels of any type as ids without gaps, in sorted order of the labels.

    Raises:
        InputError: The labels are not one per sample, have a missing value, or show one class only.
    """
    array = np.asarray(labels)
    if array.ndim == 2 and array.shape[1] == 1:
        array = array[:, 0]
    _check_length(array, n_samples, dimensions=(1,))
    if np.issubdtype(array.dtype, np.floating):
        _check_finite(array)
        _check_whole(array)
    classes, codes = np.unique(array, return_inverse=True)
    if len(classes) < 2:
        raise InputError(
            f"`labels` must show at least two classes; all {n_samples} are {classes[0]!r}."
        )
    return Targets(codes.astype(np.int64), None, len(classes))


def real_targets(labels: ArrayLike, n_samples: int) -> Targets:
    """Real-valued or multilabel targets `(n,)` or `(n, m)` as float64 columns.

    Raises:
        InputError: Wrong length, not numbers, or a NaN or infinite value.
    """
    try:
        array = np.asarray(labels, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise InputError(f"`labels` must be numbers for this task; {error}.") from None
    _check_length(array, n_samples, dimensions=(1, 2))
    _check_finite(array)
    values = array.reshape(n_samples, -1)
    return Targets(None, values, values.shape[1])


def _check_length(array: NDArray[Any], n_samples: int, dimensions: tuple[int, ...]) -> None:
    if array.ndim not in dimensions:
        wanted = " or ".join("(n,)" if d == 1 else "(n, m)" for d in dimensions)
        raise InputError(f"`labels` must have shape {wanted}; got {array.shape}.")
    if len(array) != n_samples:
        raise InputError(
            f"`labels` must have one entry per row of `features` ({n_samples}); got {len(array)}."
        )


def _check_finite(array: NDArray[Any]) -> None:
    bad = ~np.isfinite(array).reshape(len(array), -1).all(axis=1)
    if bad.any():
        raise InputError(
            f"`labels` must be finite; {int(bad.sum())} of {len(array)} rows are not, "
            f"the first is row {int(bad.argmax())}."
        )


def _check_whole(array: NDArray[Any]) -> None:
    fractional = array != np.round(array)
    if fractional.any():
        row = int(fractional.argmax())
        raise InputError(
            f"`labels` must be class ids for classification; row {row} is {array[row]}. "
            "For real-valued labels pass task='regression'."
        )
