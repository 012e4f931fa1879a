"""Reader of arrays in a NumPy archive."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from transferscore.datasets.arrays import label_array, numeric_rows
from transferscore.datasets.assembly import Column, SourceRows, assemble
from transferscore.datasets.dataset import Dataset
from transferscore.datasets.task import Task
from transferscore.errors import DatasetError

__all__ = ["read_npz"]


def read_npz(
    path: str | Path, *, task: str | Task | None = None, split: str | None = None
) -> Dataset:
    """The rows of a .npz file: `features` or `X`, `labels` or `y`, and `split` if it is there.

    Other arrays in it are not read. Pickled objects are refused: unpickling runs what they say.

    Args:
        path: The file.
        task: What is to be learnt; None to go by the labels.
        split: The split to read; None for the train split, or all rows where there are none.

    Raises:
        DatasetError: It is no such file, or its arrays do not fit one another.
    """
    where = str(path)
    try:
        features, labels, splits = _loaded(path)
    except (OSError, ValueError, EOFError, zipfile.BadZipFile) as error:
        if isinstance(error, DatasetError):
            raise DatasetError(f"In `{where}`: {error}") from error
        reason = str(error).strip().rstrip(".")
        raise DatasetError(f"`{where}` cannot be read as an .npz file: {reason}.") from error
    rows = SourceRows(
        where=where,
        name=Path(path).stem,
        modality="array",
        samples=features,
        labels=labels,
        place=lambda row: f"row {row}",
        splits=splits,
    )
    return assemble(rows, task, split)


def _loaded(path: str | Path) -> tuple[NDArray[Any], Column, list[str] | None]:
    """Features `(n, ...)`, n labels, and n splits where there are any."""
    with Path(path).open("rb") as file:  # np.load itself leaves a damaged file open
        arrays = np.load(file, allow_pickle=False)
        if not isinstance(arrays, np.lib.npyio.NpzFile):
            raise ValueError("it is a single array")
        features = numeric_rows(_array(arrays, ("features", "X")), "features")
        labels = label_array(_array(arrays, ("labels", "y")))
        splits = arrays["split"].astype(str).tolist() if "split" in arrays.files else None
    for what, values in (("labels", labels), ("split", splits)):
        if values is not None and len(values) != len(features):
            raise DatasetError(
                f"`{what}` must have one entry per row of the features "
                f"({len(features)}); got {len(values)}."
            )
    return features, labels, splits


def _array(arrays: np.lib.npyio.NpzFile, names: tuple[str, str]) -> NDArray[Any]:
    for name in names:
        if name in arrays.files:
            values: NDArray[Any] = arrays[name]
            return values
    raise DatasetError(
        f"there must be an array called {names[0]!r} or {names[1]!r}; "
        f"there are {', '.join(arrays.files) or 'none'}."
    )
