"""`transferscore distance SOURCE TARGET`: how far the target lies from what the model has seen."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from transferscore.cli.encoding import add_encoding_options, check_encoding, read_source
from transferscore.cli.output import add_output_options, check_output, write_output
from transferscore.cli.progress import Progress
from transferscore.errors import InputError

__all__ = ["add_parser", "run"]

_PERMUTATIONS = 100


def add_parser(verbs: Any, common: argparse.ArgumentParser) -> None:
    """Add the verb to the command."""
    parser = verbs.add_parser(
        "distance",
        parents=[common],
        help="how far a target sample lies from a source sample",
        description="Distances and their level between two files of features (npz, npy, "
        "safetensors) or fingerprints; with --model, between two datasets that it encodes.",
    )
    parser.add_argument("source", metavar="SOURCE", help="what the model has seen")
    parser.add_argument("target", metavar="TARGET", help="what it is to be used on")
    parser.add_argument("--distances", metavar="A,B", help="default: all that apply")
    parser.add_argument(
        "--null",
        metavar="N",
        type=int,
        nargs="?",
        const=_PERMUTATIONS,
        default=0,
        help=f"beside each value, what N re-divisions of the pooled rows give ({_PERMUTATIONS})",
    )
    add_encoding_options(parser)
    add_output_options(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Compare and write the comparison."""
    check_output(options)
    check_encoding(options)
    if options.null < 0:
        raise InputError(f"`--null` must be a number of re-divisions; got {options.null}.")
    from transferscore import report
    from transferscore.distances import compare_samples

    source, target = _sides(options)
    document = compare_samples(
        source, target, options.distances, n_permutations=options.null, seed=options.seed
    )
    writers = {
        "table": report.distances_to_text,
        "json": report.distances_to_json,
        "csv": report.distances_to_csv,
        "markdown": report.distances_to_markdown,
    }
    write_output(writers[options.format](document), options)
    return 0


def _sides(options: argparse.Namespace) -> list[Any]:
    """Both sides, read from files or encoded."""
    from transferscore.distances import Side, read_sample_file

    given = (options.source, options.target)
    if options.model is None:
        return [Side(Path(path).name, *read_sample_file(path)) for path in given]
    from transferscore.ranking import one_encoder

    encoder = one_encoder(options.model, options.device)
    try:
        with Progress(options.quiet) as progress:
            return [_encoded(path, encoder, options, progress) for path in given]
    finally:
        encoder.release()


def _encoded(path: str, encoder: Any, options: argparse.Namespace, progress: Progress) -> Any:
    """A dataset as the model sees it; a fingerprint as it is."""
    from transferscore.distances import Side, read_sample_file
    from transferscore.features import open_store
    from transferscore.ranking import encode

    if path.endswith(".safetensors"):
        return Side(Path(path).name, *read_sample_file(path))
    dataset = read_source(path, options)
    return Side(dataset.name, *encode(encoder, dataset, open_store(not options.no_cache), progress))
