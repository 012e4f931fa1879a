"""`transferscore rank DATASET --model URI ...`: the ranking."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from transferscore.cli.door import add_server_options, rank_of
from transferscore.cli.limits import add_strategy_options, limits_of
from transferscore.cli.output import (
    RANKING_FORMATS,
    add_output_options,
    check_output,
    rendered,
    write_output,
)
from transferscore.cli.progress import Progress
from transferscore.errors import InputError

if TYPE_CHECKING:
    from transferscore.ranking import Ranking

__all__ = ["add_parser", "add_ranking_options", "ranking_of", "run"]


def add_parser(verbs: Any, common: argparse.ArgumentParser) -> None:
    """Add the verb to the command."""
    parser = verbs.add_parser(
        "rank", parents=[common], help="rank models for a labelled dataset", description=__doc__
    )
    add_ranking_options(parser, "linear_probe")
    add_output_options(parser, RANKING_FORMATS)
    parser.set_defaults(run=run)


def add_ranking_options(parser: argparse.ArgumentParser, strategy: str) -> None:
    """Everything that says what is ranked, and how.

    Args:
        parser: Of the verb.
        strategy: The strategies where none are named.
    """
    parser.add_argument(
        "dataset", metavar="DATASET", help="folder, file or URI of labelled samples, or hf:NAME"
    )
    parser.add_argument(
        "--model",
        metavar="URI",
        action="append",
        required=True,
        help="hf:, st:, timm:, onnx:, keras:, export:, features: or vectors:, and a name, folder "
        "or file; may be a glob and be repeated",
    )
    parser.add_argument(
        "--task",
        help="classification, multilabel, regression or token_classification; "
        "default: told from the labels",
    )
    parser.add_argument(
        "--columns",
        metavar="ROLE=NAME,...",
        help="columns of text, tokens, image, audio, features, label, split, group; several of one "
        "role joined by +; default: guessed, and said so",
    )
    parser.add_argument("--split", help="default: the training split, where there are splits")
    parser.add_argument("--max-samples", type=int, metavar="N", help="rank on a stratified sample")
    parser.add_argument("--scores", metavar="A,B", help="or all; default: the usual eight")
    parser.add_argument("--seed", type=int, default=0, help="default: 0")
    parser.add_argument("--device", default="auto", help="auto, cpu or cuda; default: auto")
    parser.add_argument(
        "--trust-remote-code",
        metavar="MODEL",
        action="append",
        default=[],
        help="run the code that this model (org/name or folder) comes with; may be repeated",
    )
    parser.add_argument(
        "--fingerprint",
        metavar="MODEL=FILE",
        action="append",
        default=[],
        help="of what a model was trained on; one beside the model is found by itself",
    )
    parser.add_argument(
        "--no-baseline", action="store_true", help="no row for what simple features reach"
    )
    parser.add_argument("--no-cache", action="store_true", help="neither read nor keep features")
    parser.add_argument("--quiet", action="store_true", help="no progress on stderr")
    add_strategy_options(parser, strategy)
    add_server_options(parser)


def run(options: argparse.Namespace) -> int:
    """Rank, write the ranking, and say by the exit code whether all, some or none were ranked."""
    check_output(options)
    ranking = ranking_of(options)
    write_output(rendered(ranking.to_dict(), options), options)
    if not ranking.candidates:
        return 3
    return 1 if ranking.failures else 0


def ranking_of(options: argparse.Namespace) -> Ranking:
    """The ranking that the options ask for."""
    rank = rank_of(options)
    given = {"fingerprints": _fingerprints(options)} if options.fingerprint else {}
    with Progress(options.quiet) as progress:
        ranking: Ranking = rank(
            options.dataset,
            options.model,
            task=options.task,
            split=options.split,
            columns=options.columns,
            scores=options.scores,
            strategies=options.strategy,
            limits=limits_of(options),
            max_samples=options.max_samples,
            seed=options.seed,
            device=options.device,
            cache=not options.no_cache,
            trust_remote_code=options.trust_remote_code,
            baseline=not options.no_baseline,
            on_event=progress,
            **given,
        )
    return ranking


def _fingerprints(options: argparse.Namespace) -> dict[str, str]:
    """Model to file. The model comes first: its options may hold an equals sign, a file hardly.

    Raises:
        InputError: It is not MODEL=FILE.
    """
    pairs = [given.rpartition("=") for given in options.fingerprint]
    for given, (model, _, file) in zip(options.fingerprint, pairs, strict=True):
        if not (model and file):
            raise InputError(f"`--fingerprint` must be MODEL=FILE; got {given!r}.")
    return {model: file for model, _, file in pairs}
