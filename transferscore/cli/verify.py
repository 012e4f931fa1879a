"""`transferscore verify RANKING.json`: train the short-list, and show predicted beside measured."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping
from typing import Any

from transferscore.cli.output import check_output, write_output

__all__ = ["add_parser", "run"]


def add_parser(verbs: Any, common: argparse.ArgumentParser) -> None:
    """Add the verb to the command."""
    parser = verbs.add_parser(
        "verify",
        parents=[common],
        help="train the first candidates of a ranking, predicted beside measured",
        description=__doc__,
    )
    parser.add_argument(
        "ranking", metavar="RANKING.json", help="written by transferscore rank --format json"
    )
    parser.add_argument("--top", type=int, default=3, metavar="N", help="candidates; default: 3")
    parser.add_argument(
        "--budget", default="10min", metavar="TIME", help="no fold begins after it; default: 10min"
    )
    parser.add_argument("--folds", type=int, default=3, metavar="K", help="default: 3")
    parser.add_argument("--test-split", metavar="NAME", help="test on this split, not on folds")
    parser.add_argument("--data", metavar="DATASET", help="if it is no longer where it was")
    parser.add_argument("--device", default="auto", help="auto, cpu or cuda; default: auto")
    parser.add_argument("--no-cache", action="store_true", help="neither use nor keep results")
    parser.add_argument("--quiet", action="store_true", help="no progress on stderr")
    parser.add_argument("--format", choices=("table", "json"), default="table")
    parser.add_argument("--output", metavar="FILE", help="write there instead of to the terminal")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Verify, and say by the exit code whether all, some or none were measured."""
    check_output(options)
    from transferscore import report
    from transferscore.verify import verify

    found = verify(
        options.ranking,
        dataset=options.data,
        top=options.top,
        budget=options.budget,
        folds=options.folds,
        test_split=options.test_split,
        device=options.device,
        cache=not options.no_cache,
        tell=_silent if options.quiet else _say,
    )
    document = found.to_dict()
    as_json = options.format == "json"
    text = json.dumps(document, indent=2) if as_json else report.verification_text(document)
    write_output(text, options)
    return _exit_code(document)


def _exit_code(document: Mapping[str, Any]) -> int:
    measured = [result["measured"] is not None for result in document["results"]]
    if not any(measured):
        return 3
    return 0 if all(measured) else 1


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def _silent(_: str) -> None:
    """Tell nobody."""
