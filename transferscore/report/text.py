"""A ranking document as plain text for a terminal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from transferscore.report.rows import score_names
from transferscore.report.table import Table, notes, table, title

__all__ = ["align", "to_text"]


def to_text(document: Mapping[str, Any], width: int | None = None) -> str:
    """The title, the table, and what a reader should know, as lines of text.

    Args:
        document: `Ranking.to_dict()`.
        width: Columns of the terminal; score columns that do not fit are left out, and a last line
            says so. None for no limit.
    """
    if not document["candidates"]:
        return "\n".join([title(document), "", "No candidate could be ranked.", *notes(document)])
    shown, hidden = _fitting(document, width)
    lines = [title(document), "", *align(shown), "", *notes(document)]
    if hidden:
        scores = "1 more score does" if hidden == 1 else f"{hidden} more scores do"
        lines.append(f"{scores} not fit this window; see --format json or csv.")
    return "\n".join(lines).rstrip()


def align(cells: Table) -> list[str]:
    """The table's lines, numbers to the right and text to the left, two spaces between columns."""
    rows = [cells.header, *cells.body]
    widths = [max(len(row[i]) for row in rows) for i in range(len(cells.header))]
    return [
        "  ".join(
            cell.ljust(width) if text else cell.rjust(width)
            for cell, width, text in zip(row, widths, cells.is_text, strict=True)
        ).rstrip()
        for row in rows
    ]


def _fitting(document: Mapping[str, Any], width: int | None) -> tuple[Table, int]:
    """The widest table that fits, and how many scores it leaves out."""
    total = len(score_names(document))
    for count in range(total, 0, -1):
        cells = table(document, count)
        if width is None or len(align(cells)[0]) <= width:
            return cells, total - count
    return table(document, 0), total
