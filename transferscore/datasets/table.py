"""Columns of a delimited text or JSON file, or of a frame in memory."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

from transferscore.errors import DatasetError

__all__ = ["Table", "column_named", "parse_delimited", "parse_json_lines", "table_of_records"]

Quoting: TypeAlias = Literal[0, 3]  # csv.QUOTE_MINIMAL, csv.QUOTE_NONE
_LONGEST_FIELD = 2**31 - 1  # the csv module keeps it in a C long, of 32 bits on some platforms
_DELIMITERS = (",", ";", "\t")


@dataclass(frozen=True, slots=True)
class Table:
    """The rows of a file or frame by column.

    Attributes:
        where: The file as the user wrote it, for messages.
        columns: n values per column name; None where a row does not have the column.
        lines: The line in which each of the n rows ends, counted from 1; None where there are no
            lines.
        class_names: For a column of class ids, the name of each id.
    """

    where: str
    columns: dict[str, list[Any]]
    lines: list[int] | None = None
    class_names: Mapping[str, Sequence[str]] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(next(iter(self.columns.values()), ()))

    def place(self, row: int) -> str:
        """A row as a person would find it."""
        return f"row {row}" if self.lines is None else f"line {self.lines[row]}"


def column_named(table: Table, names: Sequence[str], *, what: str) -> str | None:
    """The column of `table` that is surely meant: the first of `names`, or else the only one there.

    Names are compared without regard to case and surrounding blanks. None if there is none of them.

    Raises:
        DatasetError: Several could be meant.
    """
    known = {column.strip().lower(): column for column in reversed(table.columns)}
    found = [known[name] for name in names if name in known]
    if len(found) > 1 and names[0] not in known:
        raise DatasetError(
            f"`{table.where}` has several columns that may be the {what}: {', '.join(found)}. "
            f"Rename the one that is meant to '{names[0]}', or name it with "
            f"`columns`, as in {names[0]}={found[0]}."
        )
    return found[0] if found else None


def parse_delimited(content: bytes, where: str, *, tabs: bool = False) -> Table:
    """A table of comma-, semicolon- or tab-separated lines under a header, in UTF-8.

    Fields may be quoted as in CSV. A tab-separated file that makes no sense so is read again with
    quotation marks as ordinary characters: many tools write it like that.

    Args:
        content: Bytes of the file.
        where: The file, for messages.
        tabs: Tabs separate, whatever the header looks like.

    Raises:
        DatasetError: Not UTF-8, no header, or a line that does not have the header's columns.
    """
    text = _decoded(content, where)
    delimiter = "\t" if tabs else _delimiter(text.split("\n", 1)[0])
    if not tabs:
        return _delimited(text, where, delimiter, csv.QUOTE_MINIMAL)
    try:
        return _delimited(text, where, delimiter, csv.QUOTE_MINIMAL)
    except DatasetError:
        return _delimited(text, where, delimiter, csv.QUOTE_NONE)


def parse_json_lines(content: bytes, where: str) -> Table:
    """A table of one JSON object a line, in UTF-8; its columns are all keys there are.

    Raises:
        DatasetError: Not UTF-8, or a line that is no JSON object.
    """
    rows: list[dict[str, Any]] = []
    lines: list[int] = []
    for line, text in enumerate(_decoded(content, where).split("\n"), start=1):
        if text.strip():
            rows.append(_json_object(text, f"line {line} of `{where}`"))
            lines.append(line)
    return table_of_records(rows, where, lines)


def table_of_records(
    rows: Sequence[Mapping[str, Any]], where: str, lines: list[int] | None = None
) -> Table:
    """The table of one mapping a row; its columns are all keys there are."""
    keys = dict.fromkeys(key for row in rows for key in row)
    return Table(where, {str(key): [row.get(key) for row in rows] for key in keys}, lines)


def _decoded(content: bytes, where: str) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise DatasetError(
            f"`{where}` must be UTF-8 text; line {line} has the byte 0x{content[error.start]:02x}, "
            "which is not. Save the file as UTF-8."
        ) from error


def _delimiter(header: str) -> str:
    return next((mark for mark in _DELIMITERS if mark in header), ",")


def _delimited(text: str, where: str, delimiter: str, quoting: Quoting) -> Table:
    rows = list(_split_rows(text, where, delimiter, quoting))
    if not rows:
        raise DatasetError(f"`{where}` is empty; expected a line with the names of the columns.")
    header = rows[0][1]
    for line, row in rows:
        if len(row) != len(header):
            raise DatasetError(
                f"Each line of `{where}` must have the {len(header)} columns of its header "
                f"({', '.join(header)}); line {line} has {len(row)}."
            )
    columns = [list(values) for values in zip(*(row for _, row in rows[1:]), strict=True)]
    columns = columns or [[] for _ in header]
    by_name = dict(zip(reversed(header), reversed(columns), strict=True))
    return Table(where, {name: by_name[name] for name in header}, [line for line, _ in rows[1:]])


def _split_rows(
    text: str, where: str, delimiter: str, quoting: Quoting
) -> Iterator[tuple[int, list[str]]]:
    """The line each row ends in and its fields; blank lines are passed over."""
    if csv.field_size_limit() < _LONGEST_FIELD:
        csv.field_size_limit(_LONGEST_FIELD)
    lines = io.StringIO(text, newline="")
    reader = csv.reader(lines, delimiter=delimiter, quoting=quoting, strict=True)
    try:
        for row in reader:
            if row:
                yield reader.line_num, row
    except csv.Error as error:
        raise DatasetError(
            f"`{where}` is not well formed in line {reader.line_num}: {error}."
        ) from error


def _json_object(text: str, place: str) -> dict[str, Any]:
    try:
        row = json.loads(text)
    except (ValueError, RecursionError) as error:
        reason = getattr(error, "msg", str(error))
        raise DatasetError(f"{place} is not JSON: {reason}.") from error
    if not isinstance(row, dict):
        raise DatasetError(
            f"{place} must be a JSON object with a text and a label; got {text:.60}."
        )
    return row
