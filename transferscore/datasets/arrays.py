"""Datasets from what is in memory already."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from transferscore.datasets.assembly import Column, SourceRows, assemble
from transferscore.datasets.audio import AUDIO_SUFFIXES, AudioSample
from transferscore.datasets.dataset import Dataset, Modality
from transferscore.datasets.decoding import IMAGE_SUFFIXES
from transferscore.datasets.encoding import regular_rows
from transferscore.datasets.images import ImageSample
from transferscore.datasets.table_samples import ANYWHERE, media_sample
from transferscore.datasets.task import Task
from transferscore.datasets.texts import TextPair, TokenSequence
from transferscore.errors import DatasetError

__all__ = ["dataset_from_arrays", "label_array", "numeric_rows"]


def dataset_from_arrays(
    X: object,
    labels: object,
    *,
    task: str | Task | None = None,
    name: str = "array",
    class_names: Sequence[str] = (),
) -> Dataset:
    """A Dataset of samples and labels in memory.

    Args:
        X: The n samples: a numeric array `(n, ...)` of two or more dimensions (modality "array");
            strings (modality "text"); pairs of strings as tuples ("text_pair"); lists of words
            ("tokens"); for "image", PIL images, uint8 arrays `(H, W, 3)`, or paths of image files;
            for "audio", `AudioSample`s, paths, or mappings with `array` and `sampling_rate`. A
            string is a path only when all of them end like image or audio files and the first one
            exists. What is passed must not be changed later.
        labels: One label per sample `(n,)`, a row of them `(n, m)`, a list of names, or a list of
            tags for words; None or NaN for no label.
        task: What is to be learnt; None to go by the labels.
        name: Short name for the report.
        class_names: What the report calls the classes 0, 1, ... of integer labels.

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
        modality: Modality = "array"
        column: Column = samples
    else:
        modality, column = _typed_samples(samples)
    source = _source(name, modality, column, values)
    names = {str(position): shown for position, shown in enumerate(class_names)}
    return assemble(replace(source, label_names=names), task, None)


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
    if isinstance(labels, Sequence) and not isinstance(labels, str | bytes):
        return regular_rows(list(labels))
    if hasattr(labels, "detach"):  # a torch tensor, perhaps on a GPU
        labels = labels.detach().cpu().numpy()
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
    """Rows of numbers as an array, anything else as a list."""
    if hasattr(X, "detach"):  # a torch tensor, perhaps on a GPU
        X = X.detach().cpu().numpy()
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
    return samples


def _typed_samples(samples: list[Any]) -> tuple[Modality, list[Any]]:
    """The samples of a list, and what they are, by the first one that is there."""
    first = next((sample for sample in samples if sample is not None), "")
    if isinstance(first, TextPair | TokenSequence | tuple | list):
        return _texts_of_several(samples, first)
    kind = _media_kind(samples, first)
    if kind is None:
        return "text", [_text(sample, row) for row, sample in enumerate(samples)]
    rows = enumerate(samples)
    modality: Modality = "image" if kind is ImageSample else "audio"
    return modality, [media_sample(sample, kind, f"row {row}", ANYWHERE) for row, sample in rows]


def _texts_of_several(samples: list[Any], first: object) -> tuple[Modality, list[Any]]:
    """Pairs are `TextPair`s or tuples of texts, words are `TokenSequence`s or lists of texts."""
    if isinstance(first, TextPair | tuple):
        return "text_pair", [_pair(sample, row) for row, sample in enumerate(samples)]
    return "tokens", [_words(sample, row) for row, sample in enumerate(samples)]


def _media_kind(samples: list[Any], first: object) -> type[ImageSample | AudioSample] | None:
    from PIL.Image import Image

    if isinstance(first, ImageSample | Image | np.ndarray):
        return ImageSample
    if isinstance(first, AudioSample | Mapping):
        return AudioSample
    paths = [str(sample).lower() for sample in samples if isinstance(sample, str | Path)]
    if len(paths) < len(samples) - samples.count(None) or not paths:
        return None
    is_path = isinstance(first, Path) or Path(str(first)).is_file()
    if is_path and all(path.endswith(AUDIO_SUFFIXES) for path in paths):
        return AudioSample
    if is_path and (
        isinstance(first, Path) or all(path.endswith(IMAGE_SUFFIXES) for path in paths)
    ):
        return ImageSample
    return None


def _text(sample: object, row: int) -> str | None:
    if sample is None or isinstance(sample, str):
        return sample
    raise DatasetError(f"{_expected(type(sample).__name__)[:-1]} in row {row}.")


def _pair(sample: object, row: int) -> TextPair | None:
    if sample is None or isinstance(sample, TextPair):
        return sample
    if isinstance(sample, tuple | list) and len(sample) == 2:
        first, second = sample
        if isinstance(first, str) and isinstance(second, str):
            return TextPair(first, second)
    raise DatasetError(f"A pair in `X` must be two strings; got {sample!r:.60} in row {row}.")


def _words(sample: object, row: int) -> TokenSequence | None:
    if sample is None or isinstance(sample, TokenSequence):
        return sample
    if isinstance(sample, list | tuple) and all(isinstance(word, str) for word in sample):
        return TokenSequence(tuple(sample)) if sample else None
    raise DatasetError(
        f"Each entry of `X` must be a list of words, as the first one is; "
        f"got {sample!r:.60} in row {row}."
    )


def _expected(got: str) -> str:
    return (
        "`X` must be a numeric array, or a list of strings, of pairs of strings, of lists of "
        "words, of PIL images, of uint8 arrays (H, W, 3), or of image or audio files; "
        f"got {got}."
    )
