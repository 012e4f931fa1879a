"""Reader of arrays in a NumPy archive."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from transferscore.datasets.arrays import label_array, numeric_rows
from transferscore.datasets.assembly import SourceRows, assemble
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
        with np.load(path, allow_pickle=False) as arrays:
            features = numeric_rows(_array(arrays, ("features", "X"), where), "features")
            labels = label_array(_array(arrays, ("labels", "y"), where))
            splits = arrays["split"].astype(str).tolist() if "split" in arrays.files else None
    except DatasetError as error:
        raise error if where in str(error) else DatasetError(f"In `{where}`: {error}") from error
    except (OSError, ValueError, EOFError, AttributeError, zipfile.BadZipFile) as error:
        raise DatasetError(f"`{where}` cannot be read as an .npz file: {error}.") from error
    for what, values in (("labels", labels), ("split", splits)):
        if values is not None and len(values) != len(features):
            raise DatasetError(
                f"`{what}` in `{where}` must have one entry per row of the features "
                f"({len(features)}); got {len(values)}."
            )
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


def _array(arrays: np.lib.npyio.NpzFile, names: tuple[str, str], where: str) -> NDArray[Any]:
    for name in names:
        if name in arrays.files:
            values: NDArray[Any] = arrays[name]
            return values
    raise DatasetError(
        f"`{where}` must hold an array called {names[0]!r} or {names[1]!r}; "
        f"it holds {', '.join(arrays.files) or 'none'}."
    )
