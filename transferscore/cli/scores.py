"""`transferscore scores`: what each score means, needs, its range, its chance level, its paper."""

from __future__ import annotations

import argparse
import json
from typing import Any

__all__ = ["add_parser", "run"]


def add_parser(verbs: Any, common: argparse.ArgumentParser) -> None:
    """Add the verb to the command."""
    parser = verbs.add_parser(
        "scores", parents=[common], help="list the scores and what they mean", description=__doc__
    )
    parser.add_argument("--format", choices=("text", "json"), default="text", help="default: text")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Print the catalogue."""
    from transferscore.scores.registry import SCORES

    rows = [
        {
            "name": info.name,
            "tells": info.tells,
            "needs": info.needs,
            "tasks": list(info.tasks),
            "range": info.range,
            "chance": info.chance,
            "paper": info.paper,
        }
        for info in SCORES.values()
    ]
    if options.format == "json":
        print(json.dumps(rows, indent=2, ensure_ascii=False))
        return 0
    print("Higher is better, for every score.\n")
    print("\n\n".join(_block(row) for row in rows))
    print("\nDistances, for which lower is closer: transferscore distances.")
    return 0


def _block(row: dict[str, Any]) -> str:
    details = [f"  {key:<7}{_text(row[key])}" for key in ("needs", "tasks", "range", "chance")]
    return "\n".join([f"{row['name']}: {row['tells']}", *details, f"  paper  {row['paper']}"])


def _text(value: Any) -> str:
    return ", ".join(value) if isinstance(value, list) else str(value)
