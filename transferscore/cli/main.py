"""`transferscore`: the command. Each verb is one file with `add_parser` and `run`."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence

from transferscore import __version__
from transferscore.cli import (
    advise,
    cite,
    demo,
    distance,
    distances,
    fingerprint,
    models,
    rank,
    score,
    scores,
    serve,
    verify,
)
from transferscore.errors import TransferScoreError

__all__ = ["EXIT_NONE_RANKED", "EXIT_OK", "EXIT_SOME_FAILED", "EXIT_USAGE", "main", "run"]

EXIT_OK, EXIT_SOME_FAILED, EXIT_USAGE, EXIT_NONE_RANKED = 0, 1, 2, 3

_VERBS = (
    rank,
    advise,
    verify,
    score,
    scores,
    models,
    distance,
    distances,
    fingerprint,
    cite,
    serve,
    demo,
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return the exit code."""
    options = _parser().parse_args(arguments)
    try:
        code: int = options.run(options)
        sys.stdout.flush()
    except TransferScoreError as error:
        if options.debug:
            raise
        print(f"transferscore: {error}", file=sys.stderr)
        return EXIT_USAGE
    except BrokenPipeError:
        # The reader of our output (`head`, say) has seen enough: what is still
        # buffered goes nowhere, so that the flush at exit does not fail again.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return EXIT_OK
    except KeyboardInterrupt:
        print("transferscore: interrupted; what was extracted is kept.", file=sys.stderr)
        return 130
    return code


def run() -> None:
    """Entry point of the console script."""
    sys.exit(main())


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="transferscore",
        description="Which pretrained model will do best on my data, and how sure can I be?",
        epilog="Exit codes: 0 all ranked, 1 some candidates failed, 2 usage, 3 none ranked.",
    )
    parser.add_argument("--version", action="version", version=f"transferscore {__version__}")
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--debug", action="store_true", help="show the traceback of an error")
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
    for verb in _VERBS:
        verb.add_parser(verbs, common)
    return parser


if __name__ == "__main__":
    run()
