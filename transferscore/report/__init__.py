"""Reports: a ranking (`Ranking.to_dict()`) or a comparison as text, JSON, CSV or Markdown."""

from transferscore.report.distances import (
    distances_to_csv,
    distances_to_json,
    distances_to_markdown,
    distances_to_text,
)
from transferscore.report.formats import to_csv, to_html, to_json, to_markdown
from transferscore.report.page import to_page
from transferscore.report.rows import rows
from transferscore.report.strategies import chosen_candidate, decision_lines
from transferscore.report.text import to_text
from transferscore.report.verification import verification_text

__all__ = [
    "chosen_candidate",
    "decision_lines",
    "distances_to_csv",
    "distances_to_json",
    "distances_to_markdown",
    "distances_to_text",
    "rows",
    "to_csv",
    "to_html",
    "to_json",
    "to_markdown",
    "to_page",
    "to_text",
    "verification_text",
]
