"""Datasets: labelled target samples, how they are read, and how fewer of them are drawn."""

from transferscore.datasets.arrays import dataset_from_arrays
from transferscore.datasets.dataset import Dataset, Exclusion, Modality
from transferscore.datasets.images import ImageSample
from transferscore.datasets.pixel_cache import PIXEL_CACHE, PixelCache
from transferscore.datasets.read import read_dataset
from transferscore.datasets.sampling import drop_rows, sample_dataset, sample_digests
from transferscore.datasets.task import (
    CLASSIFICATION,
    MULTILABEL,
    REGRESSION,
    TASKS,
    Task,
    task_named,
)

__all__ = [
    "CLASSIFICATION",
    "MULTILABEL",
    "PIXEL_CACHE",
    "REGRESSION",
    "TASKS",
    "Dataset",
    "Exclusion",
    "ImageSample",
    "Modality",
    "PixelCache",
    "Task",
    "dataset_from_arrays",
    "drop_rows",
    "read_dataset",
    "sample_dataset",
    "sample_digests",
    "task_named",
]
