"""A ranking document as flat rows: what CSV files and data frames show."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from transferscore.report.strategies import has_strategies, strategy_row

__all__ = ["rows", "score_names"]


def rows(document: Mapping[str, Any]) -> list[dict[str, Any]]:
    """One flat dictionary a candidate, with the same keys in the same order."""
    names = score_names(document)
    added = strategy_row if has_strategies(document) else _nothing
    return [_row(candidate, names) | added(candidate) for candidate in document["candidates"]]


def score_names(document: Mapping[str, Any]) -> list[str]:
    """Every score that any candidate has, in order of first appearance."""
    return list(dict.fromkeys(n for c in document["candidates"] for n in c["scores"]))


def _nothing(_: Mapping[str, Any]) -> dict[str, Any]:
    return {}


def _row(candidate: Mapping[str, Any], names: list[str]) -> dict[str, Any]:
    predicted = candidate["predicted"]
    row = {
        "rank": candidate["rank"],
        "model": candidate["model"],
        "baseline": candidate.get("baseline", False),
        "strategy": candidate["strategy"],
        "metric": predicted["metric"],
        "value": predicted["value"],
        "low": predicted["low"],
        "high": predicted["high"],
        "p_best": candidate["p_best"],
        "tied_with_first": candidate["tied_with_first"],
        "n_features": candidate["n_features"],
        "n_samples": candidate["n_samples"],
        "seconds": candidate["seconds"],
    } | _distance(candidate.get("distance"))
    return row | {name: candidate["scores"].get(name) for name in names}


def _distance(found: Mapping[str, Any] | None) -> dict[str, Any]:
    """How far the dataset lies from the model's source; None where that is not known."""
    keys = {"distance_name": "name", "distance": "value", "distance_level": "level"}
    return {key: None if found is None else found[entry] for key, entry in keys.items()}
