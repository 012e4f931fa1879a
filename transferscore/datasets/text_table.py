"""Reader of labelled texts: CSV, TSV and JSON Lines."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from transferscore.datasets.assembly import SourceRows, assemble
from transferscore.datasets.dataset import Dataset
from transferscore.datasets.table import Table, column_named, parse_delimited, parse_json_lines
from transferscore.datasets.task import Task
from transferscore.errors import DatasetError

__all__ = ["TEXT_SUFFIXES", "read_text_table"]

_PARSERS: dict[str, Callable[[bytes, str], Table]] = {
    ".csv": parse_delimited,
    ".tsv": lambda content, where: parse_delimited(content, where, tabs=True),
    ".jsonl": parse_json_lines,
    ".ndjson": parse_json_lines,
}
TEXT_SUFFIXES = tuple(_PARSERS)
_TEXT = ("text", "sentence", "content", "review")
_LABEL = ("label", "class", "category", "target", "y", "score")


def read_text_table(
    path: str | Path, *, task: str | Task | None = None, split: str | None = None
) -> Dataset:
    """The labelled texts of a .csv, .tsv, .jsonl or .ndjson file.

    The columns are `text`, `label` and, if there are splits, `split`. Where one of the first two is
    not there, the only column with a common name for it is taken: sentence, content, review; class,
    category, target, y, score. An empty text is a sample like any other.

    Args:
        path: The file; its suffix says how it is written.
        task: What is to be learnt; None to go by the labels.
        split: The split to read; None for the train split, or all rows where there are none.

    Raises:
        DatasetError: It cannot be read as labelled texts; the message says where and why.
    """
    path = Path(path)
    table = _PARSERS[path.suffix.lower()](path.read_bytes(), str(path))
    if not table.lines:
        raise DatasetError(f"`{path}` has no rows.")
    texts = table.columns[_required(table, _TEXT, "text")]
    labels = table.columns[_required(table, _LABEL, "label")]
    _check_values(table, texts, (str,), "Each text in `{}` must be a string")
    _check_values(table, labels, (str, int, float), "Each label in `{}` must be a name or a number")
    rows = SourceRows(
        where=str(path),
        name=path.stem,
        modality="text",
        samples=texts,
        labels=labels,
        place=table.place,
        splits=_splits(table),
        absent="have no text",
    )
    return assemble(rows, task, split)


def _required(table: Table, names: tuple[str, ...], what: str) -> str:
    column = column_named(table, names, what=what)
    if column is None:
        raise DatasetError(
            f"`{table.where}` must have a column {names[0]!r} (or one of {', '.join(names[1:])}); "
            f"its columns are {', '.join(table.columns)}. Rename the one that holds the {what}."
        )
    return column


def _check_values(table: Table, values: list[Any], kinds: tuple[type, ...], expected: str) -> None:
    """Refuse lists and objects, which JSON Lines can hold, where a plain value is expected."""
    for row, value in enumerate(values):
        if value is not None and not isinstance(value, kinds):
            raise DatasetError(
                f"{expected.format(table.where)}; got {value!s:.60} in {table.place(row)}."
            )


def _splits(table: Table) -> list[str] | None:
    column = column_named(table, ("split",), what="split")
    if column is None:
        return None
    return ["" if name is None else str(name).strip() for name in table.columns[column]]
