"""A ranking document as the cells of a table for people: short names, few digits, ties marked."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from transferscore.report.rows import score_names
from transferscore.report.strategies import (
    has_strategies,
    strategy_cells,
    strategy_columns,
    strategy_notes,
)

__all__ = ["Table", "notes", "table", "title"]


@dataclass(frozen=True, slots=True)
class Table:
    """Header and body as text.

    Attributes:
        header: One entry a column.
        body: Rows of as many entries.
        is_text: Which columns are text, to be aligned left.
    """

    header: list[str]
    body: list[list[str]]
    is_text: list[bool]


def title(document: Mapping[str, Any]) -> str:
    """What was ranked on, in one line."""
    about = document["dataset"]
    parts = [about["name"], f"{about['n_samples']:,} {_noun(about)}"]
    if about["n_classes"]:
        parts.append(f"{about['n_classes']} classes")
    if about["split"]:
        parts.append(f"{about['split']} split")
    if about.get("majority_share") is not None:
        parts.append(f"always guessing the largest class: {about['majority_share']:.1%}")
    return " · ".join(parts)


def table(document: Mapping[str, Any], max_scores: int | None = None) -> Table:
    """The candidates as a table with at most `max_scores` score columns."""
    names = score_names(document)[:max_scores]
    # The first score is the predicted value itself: a column of its own already.
    names = [name for name in names if name != "ridge_probe"]
    metric = document["candidates"][0]["predicted"]["metric"] if document["candidates"] else "value"
    ways, strategy = strategy_columns(document), ["strategy"] * has_strategies(document)
    distance = ["distance"] * any(c.get("distance") for c in document["candidates"])
    header = ["#", "", "model", *strategy, metric, "90% interval", "P(best)", *ways, *names]
    header += [*distance, "features", "time"]
    short = short_names([c["model"] for c in document["candidates"]])
    body = [
        _cells(candidate, name, names, ways, bool(distance))
        for candidate, name in zip(document["candidates"], short, strict=True)
    ]
    left = {"model", "strategy", "fits", "distance", ""}
    return Table(header, body, [column in left for column in header])


def notes(document: Mapping[str, Any]) -> list[str]:
    """Sentences below the table: ties, failures, warnings."""
    lines = []
    n_tied = sum(candidate["tied_with_first"] for candidate in document["candidates"]) - 1
    if n_tied > 0:
        them = "1 candidate" if n_tied == 1 else f"{n_tied} candidates"
        lines.append(f"= {them} that this sample cannot tell apart from the first.")
    lines += _bases(document)
    lines += strategy_notes(document)
    lines += [_depth_profile(c) for c in document["candidates"] if c.get("layers")]
    for candidate in document["candidates"]:
        if revision := candidate.get("details", {}).get("revision"):
            lines.append(f"revision: {candidate['model']}: {revision}")
    for failure in document["failures"]:
        lines.append(f"failed: {failure['model']}: {failure['message']} [{failure['error']}]")
    shared = _shared_prefix([candidate["model"] for candidate in document["candidates"]])
    for warning in document["warnings"]:
        lines.append(f"note: {warning.replace(shared, '') if shared else warning}")
    return lines


def short_names(models: Sequence[str]) -> list[str]:
    """Model names without the scheme and folder that all of them share."""
    return [model[len(_shared_prefix(models)) :] for model in models]


def _shared_prefix(models: Sequence[str]) -> str:
    """The scheme and folders that all models share, up to the last slash or colon."""
    if len(models) < 2:
        return ""
    first, last = min(models), max(models)
    pairs = enumerate(zip(first, last, strict=False))
    length = next((i for i, (a, b) in pairs if a != b), min(len(first), len(last)))
    return first[: max(first.rfind("/", 0, length), first.rfind(":", 0, length)) + 1]


def _cells(
    candidate: Mapping[str, Any],
    name: str,
    names: Sequence[str],
    ways: list[str],
    with_distance: bool,
) -> list[str]:
    predicted = candidate["predicted"]
    is_share = predicted["metric"] == "accuracy"
    tied = "=" if candidate["tied_with_first"] and candidate["rank"] > 1 else ""
    return [
        str(candidate["rank"]),
        tied,
        name,
        *([candidate["strategy"]] if ways else []),
        _metric(predicted["value"], is_share),
        f"{_metric(predicted['low'], is_share)} – {_metric(predicted['high'], is_share)}",
        f"{candidate['p_best']:.0%}",
        *strategy_cells(candidate, ways),
        *(_number(candidate["scores"].get(score)) for score in names),
        *([_distance(candidate.get("distance"))] if with_distance else []),
        str(candidate["n_features"]),
        f"{candidate['seconds']:.1f} s",
    ]


def _distance(found: Mapping[str, Any] | None) -> str:
    return "–" if found is None else f"{found['level']} ({_number(found['value'])})"


def _bases(document: Mapping[str, Any]) -> list[str]:
    """What the distances rest on: a line a kind, its models named where there are several kinds."""
    models_of: dict[str, dict[str, None]] = {}
    for candidate, short in zip(
        document["candidates"],
        short_names([c["model"] for c in document["candidates"]]),
        strict=True,
    ):
        if (found := candidate.get("distance")) is not None:
            basis = f"{found['name']}, from {found['rests_on']}"
            models_of.setdefault(basis, {})[short] = None
    if len(models_of) == 1:
        return [f"distance: {basis}" for basis in models_of]
    return [f"distance: {', '.join(models)}: {basis}" for basis, models in models_of.items()]


def _depth_profile(candidate: Mapping[str, Any]) -> str:
    """What each layer would reach, the best of them named."""
    is_share = candidate["predicted"]["metric"] == "accuracy"
    values = ", ".join(_metric(layer["value"], is_share) for layer in candidate["layers"])
    best, last = candidate["layer"], len(candidate["layers"]) - 1
    return f"layers: {candidate['model']}: layer {best} of 0 to {last} is best: {values}"


def _metric(value: float, is_share: bool) -> str:
    return f"{value:.1%}" if is_share else f"{value:.3f}"


def _number(value: float | None) -> str:
    if value is None or not math.isfinite(value):
        return "–"
    return f"{value:.3f}" if abs(value) < 1000 else f"{value:.3g}"


def _noun(about: Mapping[str, Any]) -> str:
    nouns = {
        "image": "images",
        "text": "texts",
        "text_pair": "text pairs",
        "tokens": "sentences",
        "audio": "sounds",
        "table": "rows",
    }
    return nouns.get(about["modality"], "samples")
