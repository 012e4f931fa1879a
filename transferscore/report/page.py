"""A ranking document as one self-contained HTML page: no script, nothing loaded from elsewhere."""

from __future__ import annotations

import html
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from transferscore.report.table import Table, notes, short_names, table, title

__all__ = ["to_page"]

_STYLE = """
:root { color-scheme: light dark; --line: #8884; --bar: #3b7dd8; --soft: #888; }
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 75rem; padding: 0 1rem; }
h1 { font-size: 1.3rem; } h2 { font-size: 1.05rem; margin-top: 2rem; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; white-space: nowrap; }
th, td { padding: .25rem .7rem; text-align: right; border-bottom: 1px solid var(--line); }
th { font-weight: 600; } .text { text-align: left; }
svg { width: 100%; height: auto; } svg text { font-size: 12px; fill: currentColor; }
.grid { stroke: var(--line); } .bar { stroke: var(--bar); stroke-width: 7; opacity: .45; }
.value { fill: var(--bar); } .tied .bar { opacity: .8; } .soft { fill: var(--soft) !important; }
"""
_WIDTH, _NAMES, _ROW, _MARGIN = 1000, 380, 22, 24
_LONGEST_NAME = 52
_TICKS = 5
_LEFT = ' class="text"'


def to_page(document: Mapping[str, Any]) -> str:
    """The title, the intervals as a drawing, the table, failures and notes.

    Args:
        document: `Ranking.to_dict()`. Names in it may hold anything: all text is escaped.
    """
    heading = html.escape(title(document))
    parts = [f"<h1>{heading}</h1>", *_ranked(document), *_failures(document), *_notes(document)]
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{heading} · transferscore</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n"
        + "\n".join(parts)
        + "\n</body>\n</html>"
    )


def _ranked(document: Mapping[str, Any]) -> Iterator[str]:
    if not document["candidates"]:
        yield "<p>No candidate could be ranked.</p>"
        return
    yield f"<h2>Expected {html.escape(document['candidates'][0]['predicted']['metric'])}</h2>"
    yield _drawing(document["candidates"])
    yield f'<h2>Candidates</h2>\n<div class="wide">{_html_table(table(document))}</div>'


def _drawing(candidates: Sequence[Mapping[str, Any]]) -> str:
    """Each candidate's interval as a bar, its value as a dot, on one axis."""
    ends = [c["predicted"][end] for c in candidates for end in ("low", "high")]
    low, high = _axis(min(ends), max(ends))
    is_share = candidates[0]["predicted"]["metric"] == "accuracy"
    height = _ROW * len(candidates) + 2 * _MARGIN

    def place(value: float) -> float:
        return _NAMES + (value - low) / (high - low) * (_WIDTH - _NAMES - _MARGIN)

    ticks = [low + (high - low) * i / _TICKS for i in range(_TICKS + 1)]
    lines = [_tick(tick, place(tick), height, is_share) for tick in ticks]
    names = short_names([candidate["model"] for candidate in candidates])
    for i, (candidate, name) in enumerate(zip(candidates, names, strict=True)):
        lines.append(_bar(candidate, name, place, _MARGIN + _ROW * (i + 0.5)))
    label = "Expected value and 90% interval of each candidate, best first"
    return (
        f'<svg viewBox="0 0 {_WIDTH} {height}" role="img" aria-label="{label}">\n'
        + "\n".join(lines)
        + "\n</svg>"
    )


def _axis(low: float, high: float) -> tuple[float, float]:
    """Round ends about all the intervals."""
    step = 10.0 ** math.floor(math.log10(max(high - low, 1e-3)))
    return math.floor(low / step) * step, math.ceil(high / step + 1e-9) * step


def _tick(value: float, x: float, height: int, is_share: bool) -> str:
    shown = f"{value:.0%}" if is_share else f"{value:.2g}"
    return (
        f'<line class="grid" x1="{x:.1f}" x2="{x:.1f}" y1="{_MARGIN}" y2="{height - _MARGIN}"/>'
        f'<text class="soft" x="{x:.1f}" y="{height - 8}" text-anchor="middle">{shown}</text>'
    )


def _bar(candidate: Mapping[str, Any], name: str, place: Callable[[float], float], y: float) -> str:
    predicted = candidate["predicted"]
    low, value, high = (place(predicted[key]) for key in ("low", "value", "high"))
    strategy = candidate["strategy"]
    shown = name if strategy == "linear_probe" else f"{name} · {strategy}"
    if len(shown) > _LONGEST_NAME:
        shown = "…" + shown[-_LONGEST_NAME + 1 :]
    kind = "tied" if candidate["tied_with_first"] else "behind"
    whole = f"{candidate['model']}: {predicted['low']:.3f} to {predicted['high']:.3f}"
    return (
        f'<g class="{kind}"><title>{html.escape(whole)}</title>'
        f'<text x="{_NAMES - 12}" y="{y + 4:.1f}" text-anchor="end">{html.escape(shown)}</text>'
        f'<line class="bar" x1="{low:.1f}" x2="{high:.1f}" y1="{y:.1f}" y2="{y:.1f}"/>'
        f'<circle class="value" cx="{value:.1f}" cy="{y:.1f}" r="4"/></g>'
    )


def _html_table(cells: Table) -> str:
    head = _row(cells.header, cells.is_text, "th")
    body = "\n".join(_row(row, cells.is_text, "td") for row in cells.body)
    return f"<table><thead>{head}</thead><tbody>\n{body}\n</tbody></table>"


def _row(row: Sequence[str], is_text: Sequence[bool], tag: str) -> str:
    entries = (
        f"<{tag}{_LEFT if text else ''}>{html.escape(cell)}</{tag}>"
        for cell, text in zip(row, is_text, strict=True)
    )
    return f"<tr>{''.join(entries)}</tr>"


def _failures(document: Mapping[str, Any]) -> Iterator[str]:
    if document["failures"]:
        rows = [[f["model"], f["message"], f["error"]] for f in document["failures"]]
        cells = Table(["model", "reason", "error"], rows, [True] * 3)
        yield f'<h2>Failures</h2>\n<div class="wide">{_html_table(cells)}</div>'


def _notes(document: Mapping[str, Any]) -> Iterator[str]:
    lines = [line for line in notes(document) if not line.startswith("failed: ")]
    if lines:
        items = "\n".join(f"<li>{html.escape(line)}</li>" for line in lines)
        yield f"<h2>Notes</h2>\n<ul>\n{items}\n</ul>"
