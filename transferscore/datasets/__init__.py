"""Datasets: labelled target samples, how they are read, and how fewer of them are drawn."""

from transferscore.datasets.arrays import dataset_from_arrays
from transferscore.datasets.audio import AudioSample
from transferscore.datasets.columns import Columns
from transferscore.datasets.dataset import Dataset, Exclusion, Modality
from transferscore.datasets.images import ImageSample
from transferscore.datasets.pixel_cache import PIXEL_CACHE, PixelCache
from transferscore.datasets.read import read_dataset
from transferscore.datasets.rows import TableRow
from transferscore.datasets.sampling import drop_rows, sample_dataset, sample_digests
from transferscore.datasets.task import (
    CLASSIFICATION,
    MULTILABEL,
    REGRESSION,
    TASKS,
    TOKEN_CLASSIFICATION,
    Task,
    task_named,
)
from transferscore.datasets.texts import TextPair, TokenSequence

__all__ = [
    "CLASSIFICATION",
    "MULTILABEL",
    "PIXEL_CACHE",
    "REGRESSION",
    "TASKS",
    "TOKEN_CLASSIFICATION",
    "AudioSample",
    "Columns",
    "Dataset",
    "Exclusion",
    "ImageSample",
    "Modality",
    "PixelCache",
    "TableRow",
    "Task",
    "TextPair",
    "TokenSequence",
    "dataset_from_arrays",
    "drop_rows",
    "read_dataset",
    "sample_dataset",
    "sample_digests",
    "task_named",
]
