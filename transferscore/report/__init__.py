"""Reports: a ranking document (`Ranking.to_dict()`) as text, JSON, CSV, Markdown or HTML."""

from transferscore.report.formats import to_csv, to_html, to_json, to_markdown
from transferscore.report.rows import rows
from transferscore.report.text import to_text

__all__ = ["rows", "to_csv", "to_html", "to_json", "to_markdown", "to_text"]
