"""`transferscore models URI ...`: size, cost, width and licence of models, before any is run."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from transferscore.errors import InputError, TransferScoreError

if TYPE_CHECKING:
    from transferscore.encoders.profile import Profile

__all__ = ["add_parser", "run"]

_UNITS = {"": 1, "K": 10**3, "M": 10**6, "B": 10**9, "G": 10**9}


def add_parser(verbs: Any, common: argparse.ArgumentParser) -> None:
    """Add the verb to the command."""
    parser = verbs.add_parser(
        "models", parents=[common], help="size, cost and licence of models", description=__doc__
    )
    parser.add_argument("models", metavar="URI", nargs="+", help="as for rank; may be a glob")
    parser.add_argument(
        "--max-params", metavar="N", help="only models of at most so many parameters, as in 50M"
    )
    parser.add_argument(
        "--license", metavar="A,B", help="only models that state one of these licences"
    )
    parser.add_argument("--trust-remote-code", metavar="MODEL", action="append", default=[])
    parser.add_argument("--format", choices=("table", "json"), default="table")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Print the profiles; a model that cannot be read is a line with its reason."""
    from transferscore.encoders.profile import profile
    from transferscore.encoders.uri import expand_globs

    conditions = _conditions(options)
    profiles: list[Profile] = []
    left_out, failures = [], []
    for uri in expand_globs(options.models):
        try:
            known = profile(uri, trust_remote_code=options.trust_remote_code)
        except TransferScoreError as error:
            failures.append({"model": uri, "error": type(error).__name__, "message": str(error)})
            continue
        reasons = [reason for condition in conditions if (reason := condition(known))]
        if reasons:
            left_out.append({"model": uri, "reason": "; ".join(reasons)})
        else:
            profiles.append(known)
    document = {
        "schema_version": 1,
        "models": [asdict(known) for known in profiles],
        "left_out": left_out,
        "failures": failures,
    }
    text = json.dumps(document, indent=2) if options.format == "json" else _table(document)
    print(text)
    if failures:
        return 1 if profiles or left_out else 3
    return 0


def _conditions(options: argparse.Namespace) -> list[Callable[[Profile], str]]:
    """What a model must fulfil; each says why one does not, or nothing."""
    conditions: list[Callable[[Profile], str]] = []
    if options.max_params is not None:
        most = _number(options.max_params)
        conditions.append(lambda known: _too_large(known, most))
    if options.license is not None:
        allowed = [name.strip().lower() for name in options.license.split(",")]
        conditions.append(lambda known: _other_license(known, allowed))
    return conditions


def _too_large(known: Profile, most: int) -> str:
    if known.parameters is None:
        return "its number of parameters is not known"
    return f"{_short(known.parameters)} parameters" if known.parameters > most else ""


def _other_license(known: Profile, allowed: Sequence[str]) -> str:
    if known.license is None:
        return "it states no licence"
    return "" if known.license.lower() in allowed else f"licence {known.license}"


def _number(text: str) -> int:
    digits, unit = text.rstrip("KMBGkmbg"), text[len(text.rstrip("KMBGkmbg")) :].upper()
    try:
        return round(float(digits) * _UNITS[unit])
    except (ValueError, KeyError):
        raise InputError(
            f"`--max-params` must be a number such as 5000000, 50M or 1.5B; got {text!r}."
        ) from None


def _table(document: dict[str, Any]) -> str:
    from transferscore.report.table import short_names

    rows = document["models"]
    header = ["model", "parameters", "FLOPs", "of", "features", "layers", "weights", "memory"]
    names = short_names([row["model"] for row in rows])
    body = [_cells(name, row) for name, row in zip(names, rows, strict=True)]
    lines = _aligned([[*header, "licence"], *body]) if rows else ["No model is left."]
    lines += [f"left out: {each['model']}: {each['reason']}" for each in document["left_out"]]
    lines += [
        f"failed: {each['model']}: {each['message']} [{each['error']}]"
        for each in document["failures"]
    ]
    lines += [f"revision: {row['model']}: {row['revision']}" for row in rows if row["revision"]]
    return "\n".join(lines)


def _cells(name: str, row: dict[str, Any]) -> list[str]:
    return [
        name,
        _short(row["parameters"]),
        _short(row["flops"]),
        row["flops_input"] or "–",
        "–" if row["n_features"] is None else str(row["n_features"]),
        "–" if row["n_layers"] is None else str(row["n_layers"]),
        row["weights_format"] or "–",
        "–" if row["memory_bytes"] is None else f"{row['memory_bytes'] / 2**20:.1f} MiB",
        row["license"] or "–",
    ]


def _aligned(rows: list[list[str]]) -> list[str]:
    is_text = {0, 3, 6, 8}
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    return [
        "  ".join(
            cell.ljust(width) if i in is_text else cell.rjust(width)
            for i, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]


def _short(number: int | None) -> str:
    """A count with three digits and its unit."""
    if number is None:
        return "–"
    for size, unit in ((10**12, "T"), (10**9, "G"), (10**6, "M"), (10**3, "K")):
        if number >= size:
            return f"{number / size:.3g} {unit}"
    return str(number)
