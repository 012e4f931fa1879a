"""`transferscore score FEATURES.npz`: scores of features that were extracted elsewhere."""

from __future__ import annotations

import argparse
import csv
import io
import json
import math
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from transferscore.cli.output import add_output_options, check_output, write_output
from transferscore.errors import InputError

__all__ = ["add_parser", "run"]


def add_parser(verbs: Any, common: argparse.ArgumentParser) -> None:
    """Add the verb to the command."""
    parser = verbs.add_parser(
        "score",
        parents=[common],
        help="score features and labels already extracted",
        description="Scores of an npz file with `features` (n, d), `labels` (n,) and, where the "
        "model has a classifier, `source_probabilities` or `source_logits` (n, C).",
    )
    parser.add_argument("features", metavar="FEATURES.npz")
    parser.add_argument("--scores", metavar="A,B", help="default: all that apply")
    parser.add_argument("--task", help="classification, multilabel or regression")
    add_output_options(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Score and write the values."""
    check_output(options)
    arrays = _arrays(options.features)
    from transferscore.scores.catalogue import score

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", RuntimeWarning)
        values = score(
            arrays["features"],
            arrays["labels"],
            options.scores,
            task=options.task,
            source_probabilities=arrays.get("source_probabilities"),
            source_logits=arrays.get("source_logits"),
        )
    notes = list(dict.fromkeys(str(warning.message) for warning in caught))
    write_output(_rendered(values, notes, options.format), options)
    return 0


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
