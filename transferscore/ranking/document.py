"""A ranking back from its JSON document, and what the document needs to be taken up again."""

from __future__ import annotations

import types
import typing
from collections.abc import Mapping
from dataclasses import fields, is_dataclass, replace
from pathlib import Path
from typing import Any

from transferscore.datasets import Columns
from transferscore.ranking.ranking import Ranking

__all__ = ["ranking_of_document", "with_source"]


def ranking_of_document(document: Mapping[str, Any]) -> Ranking:
    """The inverse of `Ranking.to_dict`; what a newer version has added is left out.

    A score that was not finite is null in JSON, and NaN here.
    """
    ranking: Ranking = _built(Ranking, document)
    return ranking


def with_source(ranking: Ranking, dataset: Any, columns: Columns | None) -> Ranking:
    """The ranking, saying where its samples can be read again, for `transferscore verify`.

    Args:
        ranking: Of the dataset.
        dataset: What was given to `rank`; samples in memory can be read nowhere.
        columns: The columns that were named.
    """
    path = str(dataset) if isinstance(dataset, str | Path) else None
    source = {"source": path, "columns": None if path is None else columns}
    return replace(ranking, dataset={**ranking.dataset, **source})


def _built(kind: Any, value: Any) -> Any:
    """`value`, as JSON has it, as the type that a field is declared with."""
    if value is None:
        return float("nan") if kind is float else None
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if origin in {typing.Union, types.UnionType}:
        kinds = [each for each in arguments if each is not type(None)]
        return _built(kinds[0], value) if len(kinds) == 1 else value
    if is_dataclass(kind) and isinstance(value, Mapping):
        hints = typing.get_type_hints(kind)
        known = {f.name for f in fields(kind)} & value.keys()
        return typing.cast(Any, kind)(**{n: _built(hints[n], value[n]) for n in known})
    if origin is tuple and isinstance(value, list):
        return tuple(_built(arguments[0], each) for each in value)
    if isinstance(value, Mapping) and len(arguments) == 2:
        return {name: _built(arguments[1], each) for name, each in value.items()}
    return value
