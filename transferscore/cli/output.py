"""Where a verb's result goes, and how it is written."""

from __future__ import annotations

import argparse
import shutil
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from transferscore.errors import InputError

__all__ = ["FORMATS", "RANKING_FORMATS", "add_output_options", "rendered", "write_output"]

FORMATS = ("table", "json", "csv", "markdown")
RANKING_FORMATS = (*FORMATS, "html")


def add_output_options(parser: argparse.ArgumentParser, formats: Sequence[str] = FORMATS) -> None:
    """`--format` and `--output`."""
    parser.add_argument("--format", choices=formats, default="table", help="default: table")
    parser.add_argument("--output", metavar="FILE", help="write there instead of to the terminal")


def rendered(document: Mapping[str, Any], options: argparse.Namespace) -> str:
    """A ranking document in the format asked for."""
    from transferscore import report

    if options.format == "table":
        on_terminal = options.output is None and sys.stdout.isatty()
        width = shutil.get_terminal_size().columns if on_terminal else None
        return report.to_text(document, width)
    writers = {
        "json": report.to_json,
        "csv": report.to_csv,
        "markdown": report.to_markdown,
        "html": report.to_page,
    }
    return writers[options.format](document)


def check_output(options: argparse.Namespace) -> None:
    """Refuse an output file that cannot be written before the work is done, not after.

    Raises:
        InputError: The folder is not there.
    """
    if options.output is not None and not Path(options.output).absolute().parent.is_dir():
        raise InputError(
            f"`--output` must be a file in a folder that exists; got {options.output!r}."
        )


def write_output(text: str, options: argparse.Namespace) -> None:
    """Print the text, or write it to `--output`.

    Raises:
        InputError: The file cannot be written.
    """
    if options.output is None:
        print(text)
        return
    try:
        Path(options.output).write_text(text + "\n", encoding="utf-8")
    except OSError as error:
        raise InputError(f"`{options.output}` cannot be written: {error.strerror}.") from error
