"""Labels as columns: what every formula multiplies features with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from transferscore.datasets.labels import label_text
from transferscore.errors import InputError
from transferscore.statistics.rows import LARGEST

__all__ = ["Targets", "class_targets", "label_array", "real_targets"]


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

    def mean(self) -> NDArray[np.float64]:
        """Mean of each column `(m,)`, exact where a column is constant."""
        if self.codes is not None:
            return self.counts() / len(self.codes)
        columns = self.matrix()
        mean: NDArray[np.float64] = columns[0] + (columns - columns[0]).mean(axis=0)
        return mean

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


def label_array(labels: ArrayLike) -> NDArray[Any]:
    """`labels` as an array.

    Raises:
        InputError: They are ragged or of a kind that numpy cannot hold.
    """
    try:
        return np.asarray(labels)
    except (TypeError, ValueError, RuntimeError) as error:
        raise InputError(f"`labels` cannot be read as an array: {error}") from error


def class_targets(labels: ArrayLike, n_samples: int) -> Targets:
    """Class labels of any type as ids without gaps, in sorted order of the labels.

    Raises:
        InputError: The labels are not one per sample, have a missing value, or show one class only.
    """
    array = label_array(labels)
    if array.ndim == 2 and array.shape[1] == 1:
        array = array[:, 0]
    _check_length(array, n_samples, dimensions=(1,))
    if np.issubdtype(array.dtype, np.floating):
        _check_finite(array)
        _check_whole(array)
    elif array.dtype.kind not in "biu":
        _check_present(array)
    classes, codes = _numbered(array)
    if len(classes) < 2:
        only = classes.tolist()[0]
        raise InputError(f"`labels` must show at least two classes; all {n_samples} are {only!r}.")
    return Targets(codes.astype(np.int64), None, len(classes))


def real_targets(labels: ArrayLike, n_samples: int) -> Targets:
    """Real-valued or multilabel targets `(n,)` or `(n, m)` as float64 columns.

    Raises:
        InputError: Wrong length, not numbers, a NaN or infinite value, or no column that varies.
    """
    try:
        array = np.asarray(labels, dtype=np.float64)
    except (TypeError, ValueError, RuntimeError) as error:
        raise InputError(f"`labels` must be numbers for this task; {error}.") from None
    _check_length(array, n_samples, dimensions=(1, 2))
    _check_finite(array)
    if (size := float(np.abs(array).max(initial=0.0))) > LARGEST:
        raise InputError(
            f"`labels` must not exceed {LARGEST:g}; the largest is {size:.3g}. Rescale them."
        )
    values = array.reshape(n_samples, -1)
    if (values == values[0]).all():
        raise InputError(
            f"`labels` must vary; all {n_samples} are {np.squeeze(array[0]).tolist()}."
        )
    return Targets(None, values, values.shape[1])


def _check_length(array: NDArray[Any], n_samples: int, dimensions: tuple[int, ...]) -> None:
    if array.ndim not in dimensions:
        wanted = " or ".join("(n,)" if d == 1 else "(n, m)" for d in dimensions)
        raise InputError(f"`labels` must have shape {wanted}; got {array.shape}.")
    if len(array) != n_samples:
        raise InputError(
            f"`labels` must have one entry per row of `features` ({n_samples}); got {len(array)}."
        )


def _numbered(array: NDArray[Any]) -> tuple[NDArray[Any], NDArray[np.int64]]:
    """The classes in order, and the position of each label among them."""
    try:
        return np.unique(array, return_inverse=True)
    except TypeError:
        # Labels of kinds that have no order among themselves, such as 1 and "a".
        return np.unique(array.astype(str), return_inverse=True)


def _check_present(array: NDArray[Any]) -> None:
    missing = np.array([label_text(label) is None for label in array])
    if missing.any():
        raise InputError(
            f"`labels` must not be missing; {int(missing.sum())} of {len(array)} rows are, "
            f"the first is row {int(missing.argmax())}."
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
