"""`transferscore cite NAME ...`: the BibTeX entry of each score or distance."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from typing import Any

from transferscore.errors import UnknownNameError

__all__ = ["add_parser", "run"]


def add_parser(verbs: Any, common: argparse.ArgumentParser) -> None:
    """Add the verb to the command."""
    parser = verbs.add_parser(
        "cite", parents=[common], help="BibTeX of scores and distances", description=__doc__
    )
    parser.add_argument("names", metavar="NAME", nargs="+", help="a score or distance, as listed")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Print each paper once, in the order asked for."""
    found = [entry for name in options.names for entry in _entries(name)]
    print("\n\n".join(dict.fromkeys(found)))
    return 0


def _entries(name: str) -> Iterator[str]:
    """The entries of a name: `energy` is a score and a distance, of two papers."""
    from transferscore.distances.registry import DISTANCES, SOURCE_FREE
    from transferscore.scores.registry import SCORES

    registries = (SCORES, DISTANCES, SOURCE_FREE)
    known = [info for infos in registries if (info := infos.get(name)) is not None]
    if not known:
        raise UnknownNameError(
            f"There is no score or distance named {name!r}; the scores are "
            f"{', '.join(sorted(SCORES))}; the distances are "
            f"{', '.join(sorted({*DISTANCES, *SOURCE_FREE}))}."
        )
    yield from (info.bibtex for info in known)
