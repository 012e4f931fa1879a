"""`transferscore distances`: what each distance tells, its range and unit, its null, its paper."""

from __future__ import annotations

import argparse
import json
from typing import Any

__all__ = ["add_parser", "run"]

_ROWS_OF = {
    "samples": "the rows themselves; of a fingerprint, its coreset",
    "moments": "mean and covariance; of a fingerprint, exact",
    "prototypes": "class means; of a fingerprint, exact",
}


def add_parser(verbs: Any, common: argparse.ArgumentParser) -> None:
    """Add the verb to the command."""
    parser = verbs.add_parser(
        "distances",
        parents=[common],
        help="list the distances and what they mean",
        description=__doc__,
    )
    parser.add_argument("--format", choices=("text", "json"), default="text", help="default: text")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Print the catalogue."""
    from transferscore.distances.registry import DISTANCES, SOURCE_FREE

    rows = [_row(info) for info in DISTANCES.values()]
    remembered = [_row_without_source(info) for info in SOURCE_FREE.values()]
    if options.format == "json":
        print(json.dumps(rows + remembered, indent=2, ensure_ascii=False))
        return 0
    print("Lower is closer, for every distance; 0 is what a sample and itself have.\n")
    print("\n\n".join(_block(row) for row in rows))
    print("\nWithout source data, shown by a ranking for models that remember their source:\n")
    print("\n\n".join(_block(row) for row in remembered))
    return 0


def _row(info: Any) -> dict[str, str]:
    most = "" if info.max_rows is None else f", at most {info.max_rows:,} a side"
    return {
        "name": info.name,
        "tells": info.tells,
        "needs": "features, labels of both sides" if info.needs_labels else "features",
        "reads": _ROWS_OF[info.rests_on] + most,
        "range": info.range,
        "unit": "none" if info.unit == "1" else info.unit,
        "null": "by permutation of the pooled rows: transferscore distance --null",
        "paper": info.paper,
    }


def _row_without_source(info: Any) -> dict[str, str]:
    keys = ("name", "tells", "needs", "reads", "range", "null", "paper")
    return {key: getattr(info, key) for key in keys} | {"unit": "none"}


def _block(row: dict[str, str]) -> str:
    details = [f"  {key:<7}{row[key]}" for key in ("needs", "reads", "range", "unit", "null")]
    return "\n".join([f"{row['name']}: {row['tells']}", *details, f"  paper  {row['paper']}"])
