"""The Dataset value: target samples with labels and a task, in one modality."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from transferscore.datasets.task import Task

__all__ = ["Dataset", "Exclusion", "Modality"]

Modality = Literal["image", "text", "text_pair", "tokens", "audio", "table", "array"]


@dataclass(frozen=True, slots=True)
class Exclusion:
    """Rows that a reader left out, counted and never silently dropped.

    Attributes:
        reason: Why, in words that end a sentence: "have no label".
        count: How many rows; 0 for a remark on the source, such as an empty class folder.
        examples: The first few, as a person would name them: a file name, "line 12".
    """

    reason: str
    count: int
    examples: tuple[str, ...] = ()

    def __str__(self) -> str:
        more = ", …" if self.count > len(self.examples) else ""
        shown = f" ({', '.join(self.examples)}{more})" if self.examples else ""
        if self.count == 0:
            return f"{self.reason}{shown}"
        rows = "1 row" if self.count == 1 else f"{self.count} rows"
        return f"{rows} left out: {self.reason}{shown}"


@dataclass(frozen=True, slots=True)
class Dataset:
    """Labelled target samples. Made by `read_dataset` or `dataset_from_arrays`.

    Attributes:
        name: Short name for the report.
        modality: What the samples are: "image" (`ImageSample`), "text" (`str`), "text_pair"
            (`TextPair`), "tokens" (`TokenSequence`), "audio" (`AudioSample`), "table" (`TableRow`),
            or "array" (rows of one numpy array).
        task: What is to be learnt.
        samples: The n samples, in source order.
        labels: Class ids `(n,)` int64 into `class_names`; float64 `(n,)` or `(n, m)` for multilabel
            and regression. For token classification the class ids of the words of all samples, one
            after another, `(n_words,)`, -1 for a word without a label.
        class_names: Name of each class id; empty for regression.
        rows: `(n,)` int64, the position of each sample among the rows of the source.
        n_source_rows: How many rows the source has, other splits and left-out rows included.
        split: The split that was read, or None where the source has none.
        exclusions: What was left out and why.
        groups: Which labels belong together, so that what is held out is never predicted from its
            own group: an int64 for each label, the sample of each word; None where each is alone.
    """

    name: str
    modality: Modality
    task: Task
    samples: Sequence[Any]
    labels: NDArray[Any]
    class_names: tuple[str, ...]
    rows: NDArray[np.int64]
    n_source_rows: int
    split: str | None = None
    exclusions: tuple[Exclusion, ...] = ()
    groups: NDArray[np.int64] | None = None

    def __len__(self) -> int:
        return len(self.samples)

    @property
    def n_classes(self) -> int:
        """Number of classes; 0 for regression."""
        return len(self.class_names)
