"""Reader of tables in files: CSV, TSV, JSON Lines, JSON and Parquet."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Mapping
from pathlib import Path

from transferscore.datasets.assembly import assemble
from transferscore.datasets.columns import Columns, choose_columns, named_columns
from transferscore.datasets.dataset import Dataset
from transferscore.datasets.frames import table_of_arrow
from transferscore.datasets.table import (
    Table,
    parse_delimited,
    parse_json_lines,
    table_of_records,
)
from transferscore.datasets.table_samples import rows_of_table
from transferscore.datasets.task import Task
from transferscore.errors import DatasetError, MissingExtraError
from transferscore.wording import one_line

__all__ = ["TABLE_SUFFIXES", "dataset_of_table", "read_table_file"]


def read_table_file(
    path: str | Path,
    *,
    task: str | Task | None = None,
    split: str | None = None,
    columns: Columns | None = None,
) -> Dataset:
    """The labelled rows of a .csv, .tsv, .jsonl, .ndjson, .json or .parquet file.

    Rows are texts, pairs of texts, words with a tag each, images or sounds (paths beside the file,
    or their bytes), or numbers and categories. Columns that are not named are guessed by their
    names and by what they hold, and the dataset's exclusions say which ones were taken, unless they
    are called `text` and `label`. An empty text is a sample like any other.

    Args:
        path: The file; its suffix says how it is written.
        task: What is to be learnt; None to go by the labels.
        split: The split to read; None for the train split, or all rows where there are none.
        columns: The columns of each role; see `named_columns`.

    Raises:
        DatasetError: It cannot be read as labelled rows; the message says where and why.
    """
    path = Path(path)
    table = _PARSERS[path.suffix.lower()](path.read_bytes(), str(path))
    return dataset_of_table(
        table, name=path.stem, task=task, split=split, columns=columns, folder=path.parent.resolve()
    )


def dataset_of_table(
    table: Table,
    *,
    name: str,
    task: str | Task | None = None,
    split: str | None = None,
    columns: Columns | None = None,
    folder: Path | None = None,
) -> Dataset:
    """The labelled rows of a table.

    Args:
        table: The rows.
        name: Short name for the report.
        task: What is to be learnt; None to go by the labels.
        split: The split to read; None for the train split, or all rows where there are none.
        columns: The columns of each role; see `named_columns`.
        folder: As of `rows_of_table`.

    Raises:
        DatasetError: It has no rows, or no column that can be the sample or the label.
    """
    if not len(table):
        raise DatasetError(f"`{table.where}` has no rows.")
    roles = choose_columns(table, named_columns(columns))
    return assemble(rows_of_table(table, roles, name=name, folder=folder), task, split)


def _parse_json(content: bytes, where: str) -> Table:
    """A JSON list of objects, or an object of equally long lists."""
    try:
        document = json.loads(content.decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise DatasetError(f"`{where}` is not JSON: {error}.") from error
    if isinstance(document, list) and all(isinstance(row, Mapping) for row in document):
        return table_of_records(document, where)
    if isinstance(document, Mapping) and all(isinstance(v, list) for v in document.values()):
        if len({len(values) for values in document.values()}) > 1:
            raise DatasetError(f"The columns of `{where}` must be of one length.")
        return Table(where, dict(document))
    raise DatasetError(
        f"`{where}` must be a JSON list of objects, one a row; save other shapes as JSON Lines."
    )


def _parse_parquet(content: bytes, where: str) -> Table:
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError:
        raise MissingExtraError.of("pyarrow", "frame", "Reading Parquet files") from None
    try:
        return table_of_arrow(pyarrow.parquet.read_table(io.BytesIO(content)), where)
    except (pyarrow.ArrowException, OSError, ValueError) as error:
        reason = one_line(error).rstrip(".")
        raise DatasetError(f"`{where}` cannot be read as Parquet: {reason}.") from error


def _parse_tabs(content: bytes, where: str) -> Table:
    return parse_delimited(content, where, tabs=True)


_PARSERS: dict[str, Callable[[bytes, str], Table]] = {
    ".csv": parse_delimited,
    ".tsv": _parse_tabs,
    ".jsonl": parse_json_lines,
    ".ndjson": parse_json_lines,
    ".json": _parse_json,
    ".parquet": _parse_parquet,
}
TABLE_SUFFIXES: tuple[str, ...] = tuple(_PARSERS)
