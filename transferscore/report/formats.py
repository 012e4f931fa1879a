"""A ranking document as JSON, CSV, Markdown or HTML."""

from __future__ import annotations

import csv
import html
import io
import json
from collections.abc import Mapping
from typing import Any

from transferscore.report.rows import rows
from transferscore.report.table import Table, notes, table, title

__all__ = ["markdown_lines", "to_csv", "to_html", "to_json", "to_markdown"]

_STYLE = "text-align: {}; padding: 2px 10px; font-variant-numeric: tabular-nums"


def to_json(document: Mapping[str, Any]) -> str:
    """Indented JSON, the document itself."""
    return json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False)


def to_csv(document: Mapping[str, Any]) -> str:
    """One line a candidate; failures and warnings do not fit a table and are left out."""
    flat = rows(document)
    stream = io.StringIO()
    if flat:
        writer = csv.DictWriter(stream, list(flat[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(flat)
    return stream.getvalue().rstrip("\n")


def to_markdown(document: Mapping[str, Any]) -> str:
    """The table and the notes as GitHub-flavoured Markdown."""
    lines = markdown_lines(table(document))
    return "\n".join([f"**{title(document)}**", "", *lines, "", *_bullets(document)]).rstrip()


def markdown_lines(cells: Table) -> list[str]:
    """A table's lines in GitHub-flavoured Markdown."""
    rule = [":--" if text else "--:" for text in cells.is_text]
    body = [[cell.replace("|", "\\|") for cell in row] for row in cells.body]
    return ["| " + " | ".join(row) + " |" for row in [cells.header, rule, *body]]


def to_html(document: Mapping[str, Any]) -> str:
    """The table and the notes as an HTML fragment that needs no style sheet."""
    cells = table(document)
    head = _html_row(cells.header, cells, "th")
    body = "".join(_html_row(row, cells, "td") for row in cells.body)
    remarks = "".join(f"<div>{html.escape(note)}</div>" for note in notes(document))
    return (
        f"<div><div><b>{html.escape(title(document))}</b></div>"
        f"<table><thead>{head}</thead><tbody>{body}</tbody></table>{remarks}</div>"
    )


def _bullets(document: Mapping[str, Any]) -> list[str]:
    return [f"- {note}" for note in notes(document)]


def _html_row(row: list[str], cells: Table, tag: str) -> str:
    entries = (
        f'<{tag} style="{_STYLE.format("left" if text else "right")}">{html.escape(cell)}</{tag}>'
        for cell, text in zip(row, cells.is_text, strict=True)
    )
    return f"<tr>{''.join(entries)}</tr>"
