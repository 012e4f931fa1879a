"""Tables that take hours to make: a row is written as soon as it is known."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path

__all__ = ["add_row", "rows_of"]


def rows_of(table: Path) -> list[dict[str, str]]:
    """The rows of a table; none where there is no such file."""
    if not table.exists():
        return []
    with table.open(newline="") as file:
        return list(csv.DictReader(file))


def add_row(table: Path, columns: Sequence[str], row: Mapping[str, object]) -> None:
    """Add a row to a table, and print it."""
    is_new = not table.exists()
    with table.open("a", newline="") as file:
        writer = csv.DictWriter(file, columns, lineterminator="\n")
        if is_new:
            writer.writeheader()
        writer.writerow(row)
    print(row, flush=True)
