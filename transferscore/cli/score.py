"""`transferscore score FILE...`: scores of features that were extracted elsewhere.

One file is scored in memory; several are parts of one sample, read one after the other.
"""

from __future__ import annotations

import argparse
import csv
import io
import json
import math
import warnings
from collections.abc import Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

from transferscore.cli.output import add_output_options, check_output, write_output
from transferscore.errors import InputError

if TYPE_CHECKING:
    from transferscore.statistics import Statistics

__all__ = ["add_parser", "run"]


def add_parser(verbs: Any, common: argparse.ArgumentParser) -> None:
    """Add the verb to the command."""
    parser = verbs.add_parser(
        "score",
        parents=[common],
        help="score features and labels already extracted",
        description="Scores of an npz file with `features` (n, d), `labels` (n,) and, where the "
        "model has a classifier, `source_probabilities` or `source_logits` (n, C). Several files "
        "are parts of one sample: they are merged, as are statistics that --save has written.",
    )
    parser.add_argument("files", metavar="FILE", nargs="+", help="npz, or saved statistics")
    parser.add_argument("--save", metavar="STATISTICS", help="also write the merged statistics")
    parser.add_argument("--scores", metavar="A,B", help="default: all that apply")
    parser.add_argument("--task", help="classification, multilabel or regression")
    add_output_options(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Score and write the values."""
    check_output(options)
    from transferscore.scores.catalogue import compute_scores

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", RuntimeWarning)
        statistics = _statistics(options.files, options.task)
        if options.save:
            statistics.save(options.save)
        values = compute_scores(statistics, options.scores)
    notes = list(dict.fromkeys(str(warning.message) for warning in caught))
    write_output(_rendered(values, notes, options.format), options)
    return 0


def _statistics(files: Sequence[str], task: str | None) -> Statistics:
    """Of the rows of one file, or merged from several."""
    import numpy as np

    from transferscore.datasets.labels import guess_task
    from transferscore.statistics import Statistics, statistics_of
    from transferscore.statistics.targets import label_array

    first = _content(files[0])
    if isinstance(first, Statistics):
        if task not in {None, first.task}:
            raise InputError(f"`{files[0]}` holds statistics for {first.task}; got --task {task}.")
        task = first.task
    elif task is None:
        task = guess_task(np.atleast_1d(label_array(first["labels"]))).kind
    if len(files) > 1:
        return statistics_of(chain([first], map(_content, files[1:])), task=task)
    return first if isinstance(first, Statistics) else Statistics(**first, task=task)


def _content(file: str) -> Statistics | dict[str, Any]:
    """What the file holds: statistics, or arrays."""
    from transferscore.statistics import Statistics

    try:
        with Path(file).open("rb") as stream:
            is_npz = stream.read(9)[8:] != b"{"
    except OSError:
        is_npz = True
    if not is_npz:
        return Statistics.load(file)
    arrays = _arrays(file)
    known = ("features", "labels", "source_probabilities", "source_logits")
    return {name: arrays[name] for name in known if name in arrays}


def _arrays(file: str) -> Mapping[str, Any]:
    """The arrays of the file.

    Raises:
        InputError: It is not there, no npz file, or lacks features or labels.
    """
    import numpy as np

    try:
        with np.load(file, allow_pickle=False) as content:
            arrays = {name: content[name] for name in content.files}
    except FileNotFoundError:
        raise InputError(f"There is no file `{file}`.") from None
    except (OSError, ValueError, AttributeError, EOFError) as error:
        raise InputError(f"`{Path(file).name}` cannot be read as npz: {error}.") from error
    for name in ("features", "labels"):
        if name not in arrays:
            raise InputError(f"`{file}` must hold an array `{name}`; it has {sorted(arrays)}.")
    return arrays


def _rendered(values: Mapping[str, float], notes: list[str], form: str) -> str:
    if form == "json":
        finite = {n: v if math.isfinite(v) else None for n, v in values.items()}
        return json.dumps({"schema_version": 1, "scores": finite, "warnings": notes}, indent=2)
    if form == "csv":
        stream = io.StringIO()
        csv.writer(stream, lineterminator="\n").writerows([("score", "value"), *values.items()])
        return stream.getvalue().rstrip("\n")
    if form == "markdown":
        lines = ["| score | value |", "| :-- | --: |"]
        lines += [f"| {name} | {value:.6g} |" for name, value in values.items()]
        return "\n".join([*lines, "", *(f"- note: {note}" for note in notes)]).rstrip()
    width = max(len(name) for name in values)
    lines = [f"{name:<{width}}  {value:12.6f}" for name, value in values.items()]
    return "\n".join([*lines, *(f"note: {note}" for note in notes)])
