"""`transferscore advise DATASET --model URI ...`: freeze, LoRA, or fine-tune everything?"""

from __future__ import annotations

import argparse
import json
from typing import Any

from transferscore.cli.output import check_output, write_output
from transferscore.cli.rank import add_ranking_options, ranking_of

__all__ = ["add_parser", "run"]


def add_parser(verbs: Any, common: argparse.ArgumentParser) -> None:
    """Add the verb to the command."""
    parser = verbs.add_parser(
        "advise",
        parents=[common],
        help="freeze, LoRA, or fine-tune everything? the decision and its evidence",
        description=__doc__,
    )
    add_ranking_options(parser, "all")
    parser.add_argument("--format", choices=("text", "json"), default="text", help="default: text")
    parser.add_argument("--output", metavar="FILE", help="write there instead of to the terminal")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Rank pairs of model and strategy, and write which to take and why."""
    check_output(options)
    ranking = ranking_of(options)
    document = ranking.to_dict()
    from transferscore import report

    if options.format == "json":
        first = report.chosen_candidate(document) if document["decision"] else None
        chosen = {"decision": document["decision"], "candidate": first}
        text = json.dumps({"schema_version": document["schema_version"], **chosen}, indent=2)
    else:
        text = "\n".join([*report.decision_lines(document), *_failures(document)])
    write_output(text, options)
    if not ranking.candidates:
        return 3
    return 1 if ranking.failures else 0


def _failures(document: dict[str, Any]) -> list[str]:
    return [f"failed: {each['model']}: {each['message']}" for each in document["failures"]]
