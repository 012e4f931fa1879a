"""Labels as columns: what every formula multiplies features with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from transferscore.datasets.labels import label_text
from transferscore.errors import InputError
from transferscore.statistics.rows import LARGEST

__all__ = [
    "Targets",
    "class_targets",
    "joined_classes",
    "joined_targets",
    "label_array",
    "not_varying",
    "one_class_only",
    "real_targets",
]


@dataclass(frozen=True, slots=True)
class Targets:
    """Checked labels of n samples as m columns.

    Attributes:
        codes: `(n,)` int64 in [0, m) for classes, whose columns are the 0/1 indicators; None for
            real-valued targets.
        values: `(n, m)` float64 for real-valued (and multilabel) targets; None for classes.
        n_columns: m, the number of classes or outputs.
        classes: `(m,)` the labels that the columns stand for, sorted, as numbers or as text; None
            for real-valued targets.
    """

    codes: NDArray[np.int64] | None
    values: NDArray[np.float64] | None
    n_columns: int
    classes: NDArray[Any] | None = None

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
        return Targets(codes, values, self.n_columns, self.classes)


def label_array(labels: ArrayLike) -> NDArray[Any]:
    """`labels` as an array.

    Raises:
        InputError: They are ragged or of a kind that numpy cannot hold.
    """
    try:
        return np.asarray(labels)
    except (TypeError, ValueError, RuntimeError) as error:
        raise InputError(f"`labels` cannot be read as an array: {error}") from error


def class_targets(labels: ArrayLike, n_samples: int, *, in_part: bool = False) -> Targets:
    """Class labels of any type as ids without gaps, in sorted order of the labels.

    Args:
        labels: `(n,)`.
        n_samples: n.
        in_part: Whether these are the labels of some samples of more, and may show one class only.

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
    if len(classes) < 2 and not in_part:
        raise one_class_only(classes, n_samples)
    return Targets(codes.astype(np.int64), None, len(classes), _plain(classes))


def one_class_only(classes: NDArray[Any], n_samples: int) -> InputError:
    """The error for labels of which all are the first of `classes`."""
    only = classes.tolist()[0]
    return InputError(f"`labels` must show at least two classes; all {n_samples} are {only!r}.")


def real_targets(labels: ArrayLike, n_samples: int, *, in_part: bool = False) -> Targets:
    """Real-valued or multilabel targets `(n,)` or `(n, m)` as float64 columns.

    Args:
        labels: `(n,)` or `(n, m)`.
        n_samples: n.
        in_part: Whether these are the labels of some samples of more, and need not vary.

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
    if not in_part and (values == values[0]).all():
        raise not_varying(array[0], n_samples)
    return Targets(None, values, values.shape[1])


def not_varying(label: NDArray[np.float64], n_samples: int) -> InputError:
    """The error for labels that are all the same as `label`."""
    return InputError(f"`labels` must vary; all {n_samples} are {np.squeeze(label).tolist()}.")


def joined_targets(parts: Sequence[Targets]) -> Targets:
    """The targets of samples one after another; for classes the columns are those of all parts.

    Raises:
        InputError: Numbers of other widths, or labels of which some are text and some numbers.
    """
    first = parts[0]
    if len(widths := sorted({part.n_columns for part in parts})) > 1 and first.codes is None:
        raise InputError(f"All labels must have the same number of outputs; got {widths}.")
    if first.codes is None:
        return replace(first, values=np.concatenate([part.matrix() for part in parts]))
    classes = joined_classes([part.classes for part in parts if part.classes is not None])
    codes = [_recoded(part, classes) for part in parts]
    return Targets(np.concatenate(codes), None, len(classes), classes)


def joined_classes(parts: Sequence[NDArray[Any]]) -> NDArray[Any]:
    """The classes that any of the parts has, sorted.

    Raises:
        InputError: Some are text and some numbers.
    """
    texts = {part.dtype.kind == "U": part[0].item() for part in parts}
    if len(texts) > 1:
        raise InputError(
            "All class labels must be text or all numbers; "
            f"got {texts[True]!r} and {texts[False]!r}."
        )
    return np.unique(np.concatenate(parts))


def _recoded(targets: Targets, classes: NDArray[Any]) -> NDArray[np.int64]:
    """Class ids as positions among more classes."""
    if targets.classes is None or len(targets.classes) == len(classes):
        return targets.class_codes()
    recoded: NDArray[np.int64] = np.searchsorted(classes, targets.classes)[targets.class_codes()]
    return recoded


def _plain(classes: NDArray[Any]) -> NDArray[Any]:
    """Class labels as numbers or as text, which have an order and which a file can hold."""
    if classes.dtype.kind == "O":
        classes = np.array(classes.tolist())
    return classes if classes.dtype.kind in "biufU" else classes.astype(str)


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
