"""Datasets from what is in memory already."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from transferscore.datasets.assembly import Column, SourceRows, assemble
from transferscore.datasets.dataset import Dataset, Modality
from transferscore.datasets.decoding import IMAGE_SUFFIXES
from transferscore.datasets.images import ImageSample
from transferscore.datasets.task import Task
from transferscore.errors import DatasetError

__all__ = ["dataset_from_arrays", "label_array", "numeric_rows"]


def dataset_from_arrays(
    X: object, labels: object, *, task: str | Task | None = None, name: str = "array"
) -> Dataset:
    """A Dataset of samples and labels in memory.

    Args:
        X: The n samples: a numeric array `(n, ...)` of two or more dimensions (modality "array");
            strings (modality "text"); or, for modality "image", PIL images, uint8 arrays
            `(H, W, 3)`, or paths of image files. A string is a path only when all of them end like
            image files and the first one exists. What is passed must not be changed later.
        labels: One label per sample `(n,)`, or a row of them `(n, m)`; None or NaN for no label.
        task: What is to be learnt; None to go by the labels.
        name: Short name for the report.

    Raises:
        DatasetError: `X` is none of these, or `labels` do not fit.

    Example:
        >>> dataset = dataset_from_arrays(["good", "bad", "fine", "poor"], ["+", "-", "+", "-"])
        >>> dataset.modality, dataset.class_names, dataset.labels.tolist()
        ('text', ('+', '-'), [0, 1, 0, 1])
    """
    samples = _samples(X)
    values = label_array(labels)
    if len(values) != len(samples):
        raise DatasetError(
            f"`labels` must have one entry per row of `X` ({len(samples)}); got {len(values)}."
        )
    if isinstance(samples, np.ndarray):
        rows = _source(name, "array", samples, values)
    elif all(isinstance(sample, str | None) for sample in samples):
        rows = _source(name, "text", samples, values)
    else:
        images = [_image(sample, row) for row, sample in enumerate(samples)]
        rows = _source(name, "image", images, values)
    return assemble(rows, task, None)


def numeric_rows(values: NDArray[Any], argument: str) -> NDArray[Any]:
    """`values`, once it is sure that they are rows of numbers, `(n, ...)`."""
    if values.dtype.kind not in "biufc" or values.ndim < 2:
        raise DatasetError(
            f"`{argument}` must be a numeric array of shape (n_samples, ...) with at least two "
            f"dimensions; got {values.dtype} of shape {values.shape}."
        )
    return values


def label_array(labels: object) -> Column:
    """`labels` as an array `(n,)` or `(n, m)`, or as a list where they are not all of one kind."""
    if labels is None:
        raise DatasetError("`labels` must have one entry per row of `X`; got None.")
    if isinstance(labels, Sequence) and not any(map(_is_row, labels)):
        return list(labels)
    try:
        values = np.asarray(labels)
    except ValueError as error:
        raise DatasetError(
            "`labels` must be rows of one length, or one label per sample."
        ) from error
    if values.ndim == 2 and values.shape[1] == 1:
        values = values[:, 0]
    if values.ndim not in (1, 2) or (values.ndim == 2 and values.dtype.kind not in "biuf"):
        raise DatasetError(
            "`labels` must be of shape (n_samples,), or numeric of shape (n_samples, n_labels); "
            f"got {values.dtype} of shape {values.shape}."
        )
    return values.tolist() if values.dtype.kind == "O" else values


def _is_row(label: object) -> bool:
    return isinstance(label, list | tuple) or (isinstance(label, np.ndarray) and label.ndim > 0)


def _source(name: str, modality: Modality, samples: Column, labels: Column) -> SourceRows:
    return SourceRows(
        where=name,
        name=name,
        modality=modality,
        samples=samples,
        labels=labels,
        place=lambda row: f"row {row}",
        absent="have no sample (None), or name a file that is not there",
    )


def _samples(X: object) -> list[Any] | NDArray[Any]:
    """Rows of numbers as an array, anything else as a list; image paths as `Path`."""
    if isinstance(X, str | bytes | dict | Path):
        raise DatasetError(_expected(type(X).__name__))
    if isinstance(X, list | tuple):
        samples = list(X)
    else:
        values = np.asarray(X)
        if values.ndim == 0:
            raise DatasetError(_expected(type(X).__name__))
        if values.ndim > 1 or values.dtype.kind not in "OU":
            return numeric_rows(values, "X")
        samples = values.tolist()
    return [Path(path) for path in samples] if _are_image_paths(samples) else samples


def _are_image_paths(samples: list[Any]) -> bool:
    texts = [sample for sample in samples if isinstance(sample, str)]
    return (
        bool(texts)
        and len(texts) == len(samples)
        and all(text.lower().endswith(IMAGE_SUFFIXES) for text in texts)
        and Path(texts[0]).is_file()
    )


def _image(sample: object, row: int) -> ImageSample | None:
    from PIL.Image import Image

    if sample is None or isinstance(sample, ImageSample):
        return sample
    if isinstance(sample, Path):
        return ImageSample.from_file(sample) if sample.is_file() else None
    if isinstance(sample, np.ndarray):
        return ImageSample.from_array(sample, f"row {row}")
    if isinstance(sample, Image):
        return ImageSample.from_image(sample, f"row {row}")
    raise DatasetError(f"{_expected(type(sample).__name__)[:-1]} in row {row}.")


def _expected(got: str) -> str:
    return (
        "`X` must be a numeric array, or a list of strings, of PIL images, of uint8 arrays "
        f"(H, W, 3) or of image files; got {got}."
    )
