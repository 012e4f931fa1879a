"""Summaries as bytes and as files: safetensors arrays with a JSON header, and nothing that runs."""

from __future__ import annotations

import json
import struct
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from transferscore.datasets.task import task_named
from transferscore.errors import InputError, UnknownNameError
from transferscore.files import write_whole
from transferscore.statistics.labelled import LabelledRows
from transferscore.statistics.moments import Moments, mirror_lower
from transferscore.statistics.sample import RowSample
from transferscore.statistics.summary import Summary
from transferscore.statistics.targets import Targets

__all__ = ["load_summary", "save_summary", "summary_from", "summary_to"]

_FORMAT = "transferscore-statistics-1"

_Arrays = dict[str, NDArray[Any]]


def summary_to(summary: Summary) -> bytes:
    """The summary as the content of a safetensors file."""
    from safetensors.numpy import save

    own, sample = summary.moments, summary.sample
    arrays: dict[str, NDArray[Any] | None] = {
        "mean": own.mean,
        "scatter": _packed(own.scatter),
        "target_mean": own.target_mean,
        "cross": own.cross,
        "target_scatter": _packed(own.target_scatter),
        "norm_cubed": own.norm_cubed,
        "sample_keys": sample.keys,
        "sample_features": sample.rows.features,
        "sample_codes": sample.rows.targets.codes,
        "sample_values": sample.rows.targets.values,
        "sample_source_probabilities": sample.rows.source_probabilities,
        "sample_source_logits": sample.rows.source_logits,
    }
    about = {
        "format": _FORMAT,
        "task": summary.task,
        "classes": None if summary.classes is None else summary.classes.tolist(),
        "count": own.count,
        "norm_fourth": own.norm_fourth,
        "sample_size": sample.size,
        "seed": sample.seed,
    }
    # safetensors writes the buffer as it lies in memory, whatever the strides say.
    given = {name: np.ascontiguousarray(a) for name, a in arrays.items() if a is not None}
    return save(given, metadata={"about": json.dumps(about)})


def summary_from(content: bytes) -> Summary:
    """The inverse of `summary_to`.

    Raises:
        InputError: The bytes are damaged, or something else.
    """
    from safetensors import SafetensorError
    from safetensors.numpy import load

    try:
        about = _about(content)
        return _summary(load(content), about)
    except (SafetensorError, KeyError, ValueError, TypeError, struct.error) as error:
        raise InputError(
            f"The statistics cannot be read: {error}. They must be what `Statistics.to_bytes` "
            "or `Statistics.save` made."
        ) from None


def save_summary(summary: Summary, path: str | Path) -> None:
    """Write the summary to a file, whole or not at all.

    Raises:
        InputError: The file cannot be written.
    """
    try:
        write_whole(Path(path), summary_to(summary))
    except OSError as error:
        raise InputError(f"The statistics {path} cannot be written: {error.strerror}.") from None


def load_summary(path: str | Path) -> Summary:
    """What `save_summary` wrote.

    Raises:
        InputError: The file is missing, damaged, or something else.
    """
    try:
        content = Path(path).read_bytes()
    except OSError as error:
        raise InputError(f"The statistics {path} cannot be read: {error.strerror}.") from None
    return summary_from(content)


def _about(content: bytes) -> dict[str, Any]:
    (length,) = struct.unpack("<Q", content[:8])
    metadata = json.loads(content[8 : 8 + length]).get("__metadata__") or {}
    about: dict[str, Any] = json.loads(metadata["about"])
    if about.get("format") != _FORMAT:
        raise ValueError(f"they are of format {about.get('format')!r} and not {_FORMAT!r}")
    return about


def _summary(arrays: _Arrays, about: dict[str, Any]) -> Summary:
    try:
        task = task_named(about["task"])
    except UnknownNameError as error:
        raise ValueError(str(error).rstrip(".")) from None
    d, m = arrays["cross"].shape
    classes = np.array(about["classes"]) if task.scored_as == "classification" else None
    own = Moments(
        int(about["count"]),
        arrays["mean"],
        _unpacked(arrays["scatter"], d),
        arrays["target_mean"],
        arrays["cross"],
        _unpacked(arrays["target_scatter"], m),
        arrays["norm_cubed"],
        float(about["norm_fourth"]),
    )
    sample = RowSample(
        _rows(arrays, classes, m),
        arrays["sample_keys"],
        int(about["sample_size"]),
        int(about["seed"]),
    )
    summary = Summary(task.kind, own, sample)
    _check(summary)
    return summary


def _rows(arrays: _Arrays, classes: NDArray[Any] | None, m: int) -> LabelledRows:
    codes = arrays["sample_codes"] if classes is not None else None
    values = arrays["sample_values"] if classes is None else None
    return LabelledRows(
        arrays["sample_features"],
        Targets(codes, values, m, classes),
        arrays.get("sample_source_probabilities"),
        arrays.get("sample_source_logits"),
    )


def _check(summary: Summary) -> None:
    """Refuse what merging or scoring would stumble over.

    Raises:
        ValueError: Shapes that do not fit, numbers that are not finite, or ids without a class.
    """
    own, rows = summary.moments, summary.sample.rows
    d, m, s = len(own.mean), len(own.target_mean), len(summary.sample.keys)
    wanted = {
        "cross": (own.cross, (d, m)),
        "norm_cubed": (own.norm_cubed, (d,)),
        "classes": (summary.classes, (m,)),
        "sample_features": (rows.features, (s, d)),
        "sample_codes": (rows.targets.codes, (s,)),
        "sample_values": (rows.targets.values, (s, m)),
    }
    for name, (array, shape) in wanted.items():
        if array is not None and array.shape != shape:
            raise ValueError(f"`{name}` must have shape {shape}; got {array.shape}")
    for source in (rows.source_probabilities, rows.source_logits):
        if source is not None and (source.ndim != 2 or len(source) != s):
            raise ValueError(f"a source array has shape {source.shape} beside {s} sample rows")
    numbers = (own.mean, own.scatter, own.cross, own.target_scatter, rows.features)
    if own.count < 1 or s > own.count or not all(np.isfinite(a).all() for a in numbers):
        raise ValueError("their numbers are not those of any rows")
    codes = rows.targets.codes
    if codes is not None and s > 0 and not (codes.min() >= 0 and codes.max() < m):
        raise ValueError("their class ids do not fit their classes")


def _packed(matrix: NDArray[np.float64]) -> NDArray[np.float64]:
    """The lower triangle of a symmetric matrix, row by row."""
    packed: NDArray[np.float64] = matrix[np.tri(len(matrix), dtype=bool)]
    return packed


def _unpacked(packed: NDArray[np.float64], size: int) -> NDArray[np.float64]:
    if packed.shape != (size * (size + 1) // 2,):
        raise ValueError(f"a triangle of {size} rows cannot have shape {packed.shape}")
    matrix = np.zeros((size, size), order="F")
    matrix[np.tri(size, dtype=bool)] = packed
    mirror_lower(matrix)
    return matrix
