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

__all__ = ["Table", "notes", "short_names", "table", "title"]


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
    beside = _metric_beside(document)
    header = ["#", "", "model", *strategy, metric, "90% interval", *beside, "P(best)", *ways]
    distance = ["distance"] * any(c.get("distance") for c in document["candidates"])
    header += [*names, *distance, "features", "time"]
    shared = _shared_prefix(_models(document))
    columns = _Columns(beside, ways, names, bool(distance))
    short = [c["model"].removeprefix(shared) for c in document["candidates"]]
    body = [
        _cells(candidate, mark, name, columns)
        for candidate, mark, name in zip(
            document["candidates"], _marks(document), short, strict=True
        )
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
    if tells := _metric_note(document):
        lines.append(tells)
    lines += [_baseline_note(c) for c in document["candidates"] if c.get("baseline")]
    lines += [_depth_profile(c) for c in document["candidates"] if c.get("layers")]
    for candidate in document["candidates"]:
        if revision := candidate.get("details", {}).get("revision"):
            lines.append(f"revision: {candidate['model']}: {revision}")
    for failure in document["failures"]:
        lines.append(f"failed: {failure['model']}: {failure['message']} [{failure['error']}]")
    shared = _shared_prefix(_models(document))
    for warning in document["warnings"]:
        lines.append(f"note: {warning.replace(shared, '') if shared else warning}")
    return lines


def short_names(models: Sequence[str]) -> list[str]:
    """Model names without the scheme and folder that all of them share."""
    return [model.removeprefix(_shared_prefix(models)) for model in models]


def _shared_prefix(models: Sequence[str]) -> str:
    """The scheme and folders that all models share, up to the last slash or colon."""
    if len(models) < 2:
        return ""
    first, last = min(models), max(models)
    pairs = enumerate(zip(first, last, strict=False))
    length = next((i for i, (a, b) in pairs if a != b), min(len(first), len(last)))
    return first[: max(first.rfind("/", 0, length), first.rfind(":", 0, length)) + 1]


@dataclass(frozen=True, slots=True)
class _Columns:
    """What a table shows beside the prediction: another metric, costs of strategies, scores."""

    beside: Sequence[str]
    ways: list[str]
    scores: Sequence[str]
    with_distance: bool


def _metric_beside(document: Mapping[str, Any]) -> list[str]:
    """The other metric of the task, but for classification, where accuracy says enough."""
    if not document["candidates"] or document["dataset"].get("task") == "classification":
        return []
    first = document["candidates"][0]
    return [name for name in first.get("metrics", {}) if name != first["predicted"]["metric"]]


def _marks(document: Mapping[str, Any]) -> list[str]:
    """A sign for each row: = for a model tied with the first of them, b for the baseline."""
    marks, is_first = [], True
    for candidate in document["candidates"]:
        if candidate.get("baseline"):
            marks.append("b")
            continue
        marks.append("=" if candidate["tied_with_first"] and not is_first else "")
        is_first = False
    return marks


def _cells(candidate: Mapping[str, Any], mark: str, name: str, columns: _Columns) -> list[str]:
    predicted = candidate["predicted"]
    is_share = predicted["metric"] == "accuracy"
    return [
        str(candidate["rank"]),
        mark,
        name,
        *([candidate["strategy"]] if columns.ways else []),
        _metric(predicted["value"], is_share),
        f"{_metric(predicted['low'], is_share)} – {_metric(predicted['high'], is_share)}",
        *(_number(candidate["metrics"].get(metric)) for metric in columns.beside),
        "–" if candidate.get("baseline") else f"{candidate['p_best']:.0%}",
        *strategy_cells(candidate, columns.ways),
        *(_number(candidate["scores"].get(score)) for score in columns.scores),
        *([_distance(candidate.get("distance"))] if columns.with_distance else []),
        str(candidate["n_features"]),
        f"{candidate['seconds']:.1f} s",
    ]


def _distance(found: Mapping[str, Any] | None) -> str:
    return "–" if found is None else f"{found['level']} ({_number(found['value'])})"


def _bases(document: Mapping[str, Any]) -> list[str]:
    """What the distances rest on: a line a kind, its models named where there are several kinds."""
    models_of: dict[str, dict[str, None]] = {}
    shared = _shared_prefix(_models(document))
    for candidate in document["candidates"]:
        short = candidate["model"].removeprefix(shared)
        if (found := candidate.get("distance")) is not None:
            basis = f"{found['name']}, from {found['rests_on']}"
            models_of.setdefault(basis, {})[short] = None
    if len(models_of) == 1:
        return [f"distance: {basis}" for basis in models_of]
    return [f"distance: {', '.join(models)}: {basis}" for basis, models in models_of.items()]


def _models(document: Mapping[str, Any]) -> list[str]:
    """Names of the candidates that are models."""
    return [c["model"] for c in document["candidates"] if not c.get("baseline")]


def _metric_note(document: Mapping[str, Any]) -> str:
    """What the metric says, where it is not the accuracy of a classification."""
    about = document["dataset"]
    is_plain = about.get("task") == "classification" or not about.get("metric_tells")
    return "" if is_plain else f"{about['metric']}: {about['metric_tells']}."


def _baseline_note(candidate: Mapping[str, Any]) -> str:
    what = candidate.get("details", {}).get("baseline", "simple features")
    return f"b {candidate['model']} is no pretrained model: {what}, through the same linear probe."


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
