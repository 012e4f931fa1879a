"""`transferscore demo`: the main job on real handwritten digits, on a fresh machine."""

from __future__ import annotations

import argparse
from typing import Any

__all__ = ["add_parser", "run"]


def add_parser(verbs: Any, common: argparse.ArgumentParser) -> None:
    """Add the verb to the command."""
    parser = verbs.add_parser(
        "demo", parents=[common], help="rank a small zoo on real digits", description=__doc__
    )
    parser.set_defaults(run=run)


def run(_: argparse.Namespace) -> int:
    """Run the demo and print what it says."""
    from transferscore.demo import run_demo

    run_demo(say=lambda line: print(line, flush=True))
    return 0
