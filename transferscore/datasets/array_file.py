"""Reader of arrays in a NumPy archive or a safetensors file."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from transferscore.datasets.arrays import label_array, numeric_rows
from transferscore.datasets.assembly import Column, SourceRows, assemble
from transferscore.datasets.columns import Columns, refuse_columns
from transferscore.datasets.dataset import Dataset
from transferscore.datasets.task import Task
from transferscore.errors import DatasetError

__all__ = ["read_arrays"]

_NAMES = ("features", "X", "labels", "y", "split")


def read_arrays(
    path: str | Path,
    *,
    task: str | Task | None = None,
    split: str | None = None,
    columns: Columns | None = None,
) -> Dataset:
    """The rows of a .npz or .safetensors file: `features` or `X`, `labels` or `y`.

    An .npz may hold their `split` too. Other arrays are not read. Pickled objects are refused:
    unpickling runs what they say.

    Args:
        path: The file.
        task: What is to be learnt; None to go by the labels.
        split: The split to read; None for the train split, or all rows where there are none.
        columns: None: arrays have names of their own.

    Raises:
        DatasetError: It is no such file, or its arrays do not fit one another.
    """
    where = str(path)
    refuse_columns(columns, where)
    try:
        features, labels, splits = _loaded(path)
    except (OSError, ValueError, EOFError, zipfile.BadZipFile) as error:
        if isinstance(error, DatasetError):
            raise DatasetError(f"In `{where}`: {error}") from error
        suffix, reason = Path(path).suffix.lower(), str(error).strip().rstrip(".")
        raise DatasetError(f"`{where}` cannot be read as an {suffix} file: {reason}.") from error
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
    arrays = _safetensors(path) if Path(path).suffix.lower() == ".safetensors" else _npz(path)
    features = numeric_rows(_array(arrays, ("features", "X")), "features")
    labels = label_array(_array(arrays, ("labels", "y")))
    splits = arrays["split"].astype(str).tolist() if "split" in arrays else None
    for what, values in (("labels", labels), ("split", splits)):
        if values is not None and len(values) != len(features):
            raise DatasetError(
                f"`{what}` must have one entry per row of the features "
                f"({len(features)}); got {len(values)}."
            )
    return features, labels, splits


def _npz(path: str | Path) -> dict[str, NDArray[Any]]:
    with Path(path).open("rb") as file:  # np.load itself leaves a damaged file open
        content = np.load(file, allow_pickle=False)
        if not isinstance(content, np.lib.npyio.NpzFile):
            raise ValueError("it is a single array")
        wanted = [name for name in content.files if name in _NAMES]
        others = {name: np.empty(0) for name in content.files}
        return others | {name: content[name] for name in wanted}


def _safetensors(path: str | Path) -> dict[str, NDArray[Any]]:
    from safetensors import SafetensorError, numpy

    try:
        return dict(numpy.load(Path(path).read_bytes()))
    except (SafetensorError, KeyError, TypeError) as error:
        raise ValueError(str(error)) from error


def _array(arrays: Mapping[str, NDArray[Any]], names: tuple[str, str]) -> NDArray[Any]:
    for name in names:
        if name in arrays:
            return arrays[name]
    raise DatasetError(
        f"there must be an array called {names[0]!r} or {names[1]!r}; "
        f"there are {', '.join(arrays) or 'none'}."
    )
