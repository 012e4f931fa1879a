"""Tables in memory: pandas and polars frames, Arrow tables, Hugging Face datasets, records."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from transferscore.datasets.table import Table, table_of_records
from transferscore.errors import DatasetError

__all__ = ["table_of_arrow", "table_of_hub_dataset", "table_of_memory"]

Library = Any  # an object of a library that need not be installed


def table_of_memory(source: object) -> Table | None:
    """The table that an object of another library is, or None if it is none.

    Taken are pandas and polars frames, Arrow tables, Hugging Face datasets and dictionaries of
    them by split, lists of mappings, and mappings of lists.

    Raises:
        DatasetError: It is such a thing, but its rows cannot be had.
    """
    if _is_a(source, "pandas", "DataFrame"):
        return _of_pandas(source)
    if _is_a(source, "polars", "LazyFrame"):
        return _of_polars(source.collect())  # type: ignore[attr-defined]
    if _is_a(source, "polars", "DataFrame"):
        return _of_polars(source)
    if _is_a(source, "pyarrow", "Table"):
        return table_of_arrow(source, "table")
    if any(_is_a(source, "datasets", name) for name in ("Dataset", "DatasetDict")):
        return table_of_hub_dataset(source, "dataset")
    if any(_is_a(source, "datasets", f"Iterable{name}") for name in ("Dataset", "DatasetDict")):
        raise DatasetError(
            "A streamed dataset has no end that is known; take a sample of it, as in "
            "`datasets.Dataset.from_list(list(stream.take(1000)))`."
        )
    return _of_plain(source)


def table_of_arrow(table: Library, where: str) -> Table:
    """An Arrow table; class names come from what Hugging Face datasets note in its schema."""
    columns = {name: table.column(name).to_pylist() for name in table.column_names}
    return Table(where, columns, class_names=_noted_classes(table.schema.metadata or {}))


def table_of_hub_dataset(source: Library, where: str) -> Table:
    """A Hugging Face dataset, or several by split; images and sounds stay encoded."""
    if not isinstance(source, Mapping):
        return _of_hub(source, where)
    parts = {split: _of_hub(part, where) for split, part in source.items()}
    names = dict.fromkeys(name for part in parts.values() for name in part.columns)
    columns: dict[str, list[Any]] = {
        name: [
            value for part in parts.values() for value in part.columns.get(name, [None] * len(part))
        ]
        for name in names
    }
    columns["split"] = [split for split, part in parts.items() for _ in range(len(part))]
    class_names = {name: cs for part in parts.values() for name, cs in part.class_names.items()}
    return Table(where, columns, class_names=class_names)


def _is_a(source: object, package: str, name: str) -> bool:
    """Whether this is an object that nobody can have made without importing `package`."""
    kind = getattr(sys.modules.get(package), name, None)
    return isinstance(kind, type) and isinstance(source, kind)


def _of_pandas(frame: Library) -> Table:
    columns: dict[str, list[Any]] = {}
    class_names: dict[str, Sequence[str]] = {}
    for name in frame.columns:
        values = frame[name].astype(object).where(frame[name].notna(), None).tolist()
        columns[str(name)] = values
    return Table("frame", columns, class_names=class_names)


def _of_polars(frame: Library) -> Table:
    return Table("frame", {name: frame[name].to_list() for name in frame.columns})


def _of_hub(source: Library, where: str) -> Table:
    features = source.features
    for name, feature in features.items():
        if type(feature).__name__ in ("Image", "Audio"):
            source = source.cast_column(name, type(feature)(decode=False))
    source = source.with_format(None)
    columns = {name: list(source[name]) for name in source.column_names}
    return Table(where, columns, class_names=_class_names(features))


def _class_names(features: Mapping[str, Any]) -> dict[str, Sequence[str]]:
    """Names of the classes of each column of class ids, or of lists of them."""
    found: dict[str, Sequence[str]] = {}
    for name, feature in features.items():
        names = getattr(feature, "names", None) or getattr(
            getattr(feature, "feature", None), "names", None
        )
        if names:
            found[name] = list(names)
    return found


def _noted_classes(metadata: Mapping[bytes, bytes]) -> dict[str, Sequence[str]]:
    """The class names in the note that Hugging Face datasets leave in a schema."""
    try:
        noted = json.loads(metadata[b"huggingface"])["info"]["features"]
    except (KeyError, ValueError, TypeError):
        return {}
    found: dict[str, Sequence[str]] = {}
    for name, feature in noted.items():
        inner = feature.get("feature", feature) if isinstance(feature, dict) else {}
        if isinstance(inner, dict) and isinstance(inner.get("names"), list):
            found[name] = inner["names"]
    return found


def _of_plain(source: object) -> Table | None:
    """A list of mappings, or a mapping of lists of one length."""
    if isinstance(source, list | tuple) and source and isinstance(source[0], Mapping):
        if not all(isinstance(row, Mapping) for row in source):
            raise DatasetError("Rows must all be mappings from column to value; some are not.")
        return table_of_records(source, "rows")
    if isinstance(source, Mapping):
        columns = {str(name): _listed(values) for name, values in source.items()}
        if len({len(values) for values in columns.values()}) > 1:
            lengths = ", ".join(f"{name} {len(values)}" for name, values in columns.items())
            raise DatasetError(f"Columns must be of one length; got {lengths}.")
        return Table("table", columns)
    return None


def _listed(values: object) -> list[Any]:
    if isinstance(values, np.ndarray):
        return list(values) if values.ndim > 1 else values.tolist()
    if isinstance(values, Sequence) and not isinstance(values, str | bytes):
        return list(values)
    raise DatasetError(
        f"A mapping must hold a list or array for each column; got {type(values).__name__}."
    )
