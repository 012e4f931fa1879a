"""Predicted beside measured, as text."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from transferscore.report.table import Table, short_names
from transferscore.report.text import align
from transferscore.strategies.units import seconds_text

__all__ = ["verification_text"]

_HEADER = ["model", "strategy", "predicted", "90% interval", "measured", "inside", "labels", "time"]


def verification_text(document: Mapping[str, Any]) -> str:
    """A table of what was predicted and what training reached, best measured first.

    Args:
        document: `Verification.to_dict()`.
    """
    results, metric = document["results"], document["metric"]
    others = [name for name in (results[0]["metrics"] if results else ()) if name != metric]
    names = short_names([result["model"] for result in results])
    body = [
        _cells(result, name, metric, others) for result, name in zip(results, names, strict=True)
    ]
    header = [*_HEADER, *others, "status"]
    is_text = [column in {"model", "strategy", "status"} for column in header]
    title = f"{document['dataset']} · {metric} · {_tested(document)}"
    notes = (
        [_error_note(results, metric)] if any(r["measured"] is not None for r in results) else []
    )
    notes += _shorter_note(results)
    return "\n".join([title, "", *align(Table(header, body, is_text)), "", *notes]).rstrip()


def _cells(result: Mapping[str, Any], name: str, metric: str, others: list[str]) -> list[str]:
    measured, spread = result["measured"], result["spread"]
    inside = ""
    if measured is not None:
        inside = "yes" if result["low"] <= measured <= result["high"] else "no"
    plus_minus = "" if spread is None else f" ± {_number(spread, metric)}"
    return [
        name,
        result["strategy"],
        _number(result["predicted"], metric),
        f"{_number(result['low'], metric)} – {_number(result['high'], metric)}",
        "–" if measured is None else f"{_number(measured, metric)}{plus_minus}",
        inside,
        f"{result['n_train']:,}",
        seconds_text(result["seconds"]),
        *(_number(result["metrics"].get(other), other) for other in others),
        result["status"],
    ]


def _error_note(results: list[Mapping[str, Any]], metric: str) -> str:
    errors = [abs(r["measured"] - r["predicted"]) for r in results if r["measured"] is not None]
    mean = sum(errors) / len(errors)
    size = f"{100 * mean:.1f} points" if metric == "accuracy" else f"{mean:.3f}"
    return f"mean error of the predictions: {size}; the results are priors of later rankings."


def _shorter_note(results: list[Mapping[str, Any]]) -> list[str]:
    """Runs that a budget cut short reach less than the recipe, which is what was predicted."""
    names = [
        f"{r['strategy']} of {r['model']} ({r['epochs']} epochs)"
        for r in results
        if r["measured"] is not None and not r["as_recipe"]
    ]
    if not names:
        return []
    return [
        f"shorter than the recipe, to keep to the budget: {', '.join(names)}; a larger --budget "
        f"trains in full, and only such results change later predictions."
    ]


def _tested(document: Mapping[str, Any]) -> str:
    n = document["n_folds"]
    return "tested on another split" if n == 1 else f"up to {n} folds"


def _number(value: float | None, metric: str) -> str:
    if value is None:
        return "–"
    return f"{value:.1%}" if metric in ("accuracy", "macro_f1") else f"{value:.3f}"
