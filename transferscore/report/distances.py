"""A comparison document (`transferscore distance`) as text, JSON, CSV or Markdown."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping
from typing import Any

from transferscore.report.formats import markdown_lines
from transferscore.report.table import Table
from transferscore.report.text import align

__all__ = ["distances_to_csv", "distances_to_json", "distances_to_markdown", "distances_to_text"]


def distances_to_json(document: Mapping[str, Any]) -> str:
    """Indented JSON, the document itself."""
    return json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False)


def distances_to_csv(document: Mapping[str, Any]) -> str:
    """One line a distance, with the level of the comparison on each."""
    null = ("value", "quantile_95", "p_value", "n_rows")
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(["distance", "value", "rests_on", "level", *(f"null_{key}" for key in null)])
    for entry in document["distances"]:
        given = entry["null"] or {}
        row = [entry["name"], entry["value"], entry["rests_on"], document["level"]["level"]]
        writer.writerow([*row, *(given.get(key, "") for key in null)])
    return stream.getvalue().rstrip("\n")


def distances_to_markdown(document: Mapping[str, Any]) -> str:
    """The level, the table and the warnings as GitHub-flavoured Markdown."""
    notes = [f"- {note}" for note in _notes(document)]
    lines = [f"**{_title(document)}**", "", _level(document), "", *markdown_lines(_table(document))]
    return "\n".join([*lines, "", *notes]).rstrip()


def distances_to_text(document: Mapping[str, Any]) -> str:
    """The level, the table and the warnings as lines of text."""
    lines = [_title(document), "", _level(document), "", *align(_table(document))]
    return "\n".join([*lines, "", *_notes(document)]).rstrip()


def _title(document: Mapping[str, Any]) -> str:
    return f"{document['target']} from {document['source']}"


def _level(document: Mapping[str, Any]) -> str:
    level = document["level"]
    return (
        f"distance {level['level']}: a classifier tells the two apart with AUC "
        f"{level['separability']:.2f}; effect {level['effect']:.3f}, by chance below "
        f"{max(0.0, level['null_quantile']):.3f}; {level['n_rows']} rows a side"
    )


def _table(document: Mapping[str, Any]) -> Table:
    entries = document["distances"]
    if not any(entry["null"] for entry in entries):
        body = [[entry["name"], f"{entry['value']:.6g}", entry["rests_on"]] for entry in entries]
        return Table(["distance", "value", "rests on"], body, [True, False, True])
    header = ["distance", "value", "on n rows", "n", "by chance below", "p", "rests on"]
    return Table(header, [_with_null(entry) for entry in entries], [True, *[False] * 5, True])


def _with_null(entry: Mapping[str, Any]) -> list[str]:
    null = entry["null"]
    numbers = [f"{value:.6g}" for value in (entry["value"], null["value"])]
    chance = [f"{null['quantile_95']:.6g}", f"{null['p_value']:.3g}"]
    return [entry["name"], *numbers, str(null["n_rows"]), *chance, entry["rests_on"]]


def _notes(document: Mapping[str, Any]) -> list[str]:
    return [f"note: {warning}" for warning in document["warnings"]]
