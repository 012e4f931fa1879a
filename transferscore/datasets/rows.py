"""TableRow: a sample that is a row of named numbers and names."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["TableRow"]


@dataclass(frozen=True, slots=True)
class TableRow:
    """One row of a table, without its label.

    Attributes:
        columns: Name of each column; the same object in every row of a dataset.
        values: A number, a text, or None where there is no value, for each column. A column is
            numeric when no row has a text in it.
    """

    columns: tuple[str, ...]
    values: tuple[float | str | None, ...]
