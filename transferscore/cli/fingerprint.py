"""`transferscore fingerprint SOURCE --model URI`: what of a source sample travels with a model."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from transferscore.cli.encoding import add_encoding_options, check_encoding, read_source
from transferscore.cli.output import check_output
from transferscore.cli.progress import Progress
from transferscore.errors import InputError

__all__ = ["add_parser", "run"]


def add_parser(verbs: Any, common: argparse.ArgumentParser) -> None:
    """Add the verb to the command."""
    parser = verbs.add_parser(
        "fingerprint",
        parents=[common],
        help="store what distances need of a source sample, to travel with a model",
        description="Moments, class prototypes and a coreset of SOURCE in a model's space, as one "
        "safetensors file. A ranking takes it up where it lies beside the model.",
    )
    parser.add_argument(
        "source", metavar="SOURCE", help="a dataset; without --model, a file of features"
    )
    parser.add_argument(
        "--output", metavar="FILE", help="default: MODEL.fingerprint.safetensors beside the model"
    )
    parser.add_argument("--coreset-size", type=int, default=256, metavar="N", help="default: 256")
    add_encoding_options(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Take the fingerprint, write it, and say where it is."""
    check_output(options)
    check_encoding(options)
    from transferscore.distances import save_fingerprint

    path = _path(options)
    fingerprint = _of_file(options) if options.model is None else _of_dataset(options)
    save_fingerprint(fingerprint, path)
    classes = 0 if fingerprint.prototypes is None else len(fingerprint.prototypes.means)
    print(
        f"{path}: {fingerprint.gaussian.count:,} rows of {fingerprint.n_features} features, "
        f"{classes} class prototypes, a coreset of {len(fingerprint.coreset)}."
    )
    return 0


def _path(options: argparse.Namespace) -> Path:
    """Where the fingerprint goes, found before the work is done."""
    if options.output is not None:
        return Path(options.output)
    if options.model is not None:
        from transferscore.ranking import fingerprint_path, one_encoder

        if (beside := fingerprint_path(one_encoder(options.model))) is not None:
            return beside
    raise InputError(
        "`--output FILE` must say where the fingerprint goes: no model file was given."
    )


def _of_file(options: argparse.Namespace) -> Any:
    from transferscore.distances import Fingerprint, fingerprint_of, read_sample_file

    features, labels = read_sample_file(options.source)
    if isinstance(features, Fingerprint):
        raise InputError(f"`{options.source}` is a fingerprint already.")
    return fingerprint_of(
        features,
        labels,
        coreset_size=options.coreset_size,
        seed=options.seed,
        provenance={"source": Path(options.source).name},
    )


def _of_dataset(options: argparse.Namespace) -> Any:
    from transferscore.features import open_store
    from transferscore.ranking import fingerprint_source, one_encoder

    encoder = one_encoder(options.model, options.device)
    try:
        with Progress(options.quiet) as progress:
            return fingerprint_source(
                encoder,
                read_source(options.source, options),
                coreset_size=options.coreset_size,
                seed=options.seed,
                store=open_store(not options.no_cache),
                on_event=progress,
            )
    finally:
        encoder.release()
