"""Raw labels, as files and callers write them, to class ids or numbers."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from transferscore.datasets.task import CLASSIFICATION, MULTILABEL, REGRESSION, Task
from transferscore.errors import DatasetError

__all__ = ["encode_classes", "guess_task", "is_row", "label_text", "natural_key", "number_of"]

_MISSING = {"", "nan", "<na>"}
_INTEGER = re.compile(r"[+-]?[0-9]+")
_NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")


def label_text(label: object) -> str | None:
    """The class name that a label stands for, or None for a row without a label.

    Missing are None, NaN, pandas' NA, and text that is empty, blank or "nan" in any case. "none",
    "null" and "NA" are names: there are classes called so. A float without a fraction is named as
    the integer it equals.
    """
    if label is None:
        return None
    if isinstance(label, float | np.floating) and float(label).is_integer():
        return str(int(label))
    text = str(label).strip()
    return None if text.lower() in _MISSING else text


def number_of(label: object) -> float | None:
    """The finite number that a label is or spells in plain decimal notation, or None."""
    if isinstance(label, str):
        text = label.strip()
        number = float(text) if _NUMBER.fullmatch(text) else math.nan
    else:
        number = float(label) if isinstance(label, int | float | np.number) else math.nan
    return number if math.isfinite(number) else None


def is_row(label: object) -> bool:
    """Whether a label is several: a list of names, a row of numbers."""
    several = isinstance(label, list | tuple | set | frozenset)
    return several or (isinstance(label, np.ndarray) and label.ndim > 0)


def guess_task(labels: Sequence[Any] | NDArray[Any]) -> Task:
    """The task that labels look like when nobody says; missing labels are not among them.

    Rows of zeros and ones, and lists of names, are multilabel, other rows regression. One label a
    row is classification unless all are numbers and one has a fraction.
    """
    if isinstance(labels, np.ndarray) and labels.ndim == 2:
        return MULTILABEL if bool(np.isin(labels, (0, 1)).all()) else REGRESSION
    if isinstance(labels, np.ndarray) and labels.dtype.kind in "iu":
        return CLASSIFICATION
    if len(labels) and all(map(is_row, labels)):
        return MULTILABEL
    fraction = False
    for label in labels:
        number = number_of(label)
        if number is None:
            return CLASSIFICATION
        fraction = fraction or not number.is_integer()
    return REGRESSION if fraction else CLASSIFICATION


def encode_classes(
    texts: Sequence[str], names: Mapping[str, str], where: str
) -> tuple[NDArray[np.int64], tuple[str, ...]]:
    """Class ids and the name of each.

    Args:
        texts: The n labels as text.
        names: Names to show instead of a label; labels without one stay as they are.
        where: The source, for the message.

    Returns:
        Ids `(n,)`, and the names in the order of the ids: integer labels by value, all others
        naturally ("class 2" before "class 10").

    Raises:
        DatasetError: Two labels have one name.
    """
    classes = _ordered(set(texts))
    shown = tuple(names.get(text, text) for text in classes)
    if len(set(shown)) < len(shown):
        twice = next(name for name in shown if shown.count(name) > 1)
        labels = ", ".join(repr(text) for text in classes if names.get(text, text) == twice)
        raise DatasetError(
            f"`{where}` calls the labels {labels} all {twice!r}; each needs a name of its own."
        )
    ids = {text: index for index, text in enumerate(classes)}
    return np.array([ids[text] for text in texts], dtype=np.int64), shown


def _ordered(texts: set[str]) -> list[str]:
    if all(_INTEGER.fullmatch(text) for text in texts):
        return sorted(texts, key=lambda text: (_signed(text), text))
    return sorted(texts, key=lambda text: (natural_key(text), text))


def _signed(text: str) -> tuple[int, int, str]:
    """A key that sorts integers of any length by value: `int` refuses more than 4,300 digits."""
    digits = text.lstrip("+-").lstrip("0")
    if not text.startswith("-") or not digits:
        return (0, len(digits), digits)
    complement = digits.translate(str.maketrans("0123456789", "9876543210"))
    return (-1, -len(digits), complement)


def natural_key(name: str) -> list[tuple[int, str]]:
    """A sort key under which "class 2" comes before "class 10"."""
    parts = re.split(r"([0-9]+)", name)
    return [
        (len(part.lstrip("0")), part.lstrip("0")) if position % 2 else (0, part)
        for position, part in enumerate(parts)
    ]
