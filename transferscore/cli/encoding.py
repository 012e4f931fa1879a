"""Options of the verbs that encode a dataset with one model."""

from __future__ import annotations

import argparse
from typing import Any

from transferscore.errors import InputError

__all__ = ["add_encoding_options", "check_encoding", "read_source"]


def add_encoding_options(parser: argparse.ArgumentParser) -> None:
    """`--model` and what goes with it."""
    parser.add_argument("--model", metavar="URI", help="encode datasets with this model")
    parser.add_argument("--split", help="default: the training split, where there are splits")
    parser.add_argument("--max-samples", type=int, metavar="N", help="take a stratified sample")
    parser.add_argument("--seed", type=int, default=0, help="default: 0")
    parser.add_argument("--device", default="auto", help="auto, cpu or cuda; default: auto")
    parser.add_argument("--no-cache", action="store_true", help="neither read nor keep features")
    parser.add_argument("--quiet", action="store_true", help="no progress on stderr")


def check_encoding(options: argparse.Namespace) -> None:
    """Refuse options that would have no effect.

    Raises:
        InputError: `--split` or `--max-samples` without `--model`.
    """
    for name in ("split", "max_samples"):
        if options.model is None and getattr(options, name) is not None:
            raise InputError(
                f"`--{name.replace('_', '-')}` is for datasets that a model encodes; "
                "add `--model URI`, or leave it out to read files of features."
            )


def read_source(path: str, options: argparse.Namespace) -> Any:
    """The dataset at `path`, or the stratified sample of it that the options ask for."""
    from transferscore.datasets import read_dataset, sample_dataset

    dataset = read_dataset(path, split=options.split)
    return sample_dataset(dataset, options.max_samples, options.seed)
