"""read_dataset: one door for every source."""

from __future__ import annotations

from pathlib import Path

from transferscore.datasets.arrays import dataset_from_arrays
from transferscore.datasets.dataset import Dataset
from transferscore.datasets.image_folder import read_image_folder
from transferscore.datasets.image_zip import read_image_zip
from transferscore.datasets.npz import read_npz
from transferscore.datasets.task import Task, task_named
from transferscore.datasets.text_table import TEXT_SUFFIXES, read_text_table
from transferscore.errors import DatasetError

__all__ = ["read_dataset"]

_READERS = {
    ".zip": read_image_zip,
    ".npz": read_npz,
    **dict.fromkeys(TEXT_SUFFIXES, read_text_table),
}
_SUPPORTED = f"a folder of images, or a file {', '.join(sorted(_READERS))}"


def read_dataset(
    source: object,
    *,
    labels: object = None,
    task: str | Task | None = None,
    split: str | None = None,
) -> Dataset:
    """The labelled target samples of `source`. Images are not decoded.

    Args:
        source: A folder of images; a .zip of images; a .csv, .tsv, .jsonl or .ndjson of texts; a
            .npz of arrays; samples in memory, with `labels`; or a Dataset, returned as it is.
        labels: One label per sample in memory; a path brings its own.
        task: "classification", "multilabel" or "regression"; None to go by the labels.
        split: The split to read; None for the train split where there are splits, else all rows.
            Rows of other splits are never looked at.

    Raises:
        DatasetError: It cannot be read as asked; the message says what was expected, and where.
        UnknownNameError: There is no such task.
    """
    chosen = task_named(task) if isinstance(task, str) else task
    if isinstance(source, Dataset):
        return _as_it_is(source, labels, chosen, split)
    if not isinstance(source, str | Path):
        if split is not None:
            raise DatasetError(f"Arrays have no splits; got `split={split!r}`. Leave it out.")
        return dataset_from_arrays(source, labels, task=chosen)
    if labels is not None:
        raise DatasetError(f"`labels` go with samples in memory; `{source}` brings its own.")
    return _read_path(Path(source).expanduser(), chosen, split)


def _as_it_is(dataset: Dataset, labels: object, task: Task | None, split: str | None) -> Dataset:
    """`dataset`, unless something is asked for that it is not."""
    if labels is not None:
        raise DatasetError("`labels` go with samples in memory; a Dataset brings its own.")
    if task is not None and task != dataset.task:
        raise DatasetError(
            f"`task` must be that of the Dataset ({dataset.task.kind!r}); got {task.kind!r}."
        )
    if split is not None and split != dataset.split:
        raise DatasetError(
            f"`split` must be that of the Dataset ({dataset.split!r}); got {split!r}."
        )
    return dataset


def _read_path(path: Path, task: Task | None, split: str | None) -> Dataset:
    if not path.exists():
        raise DatasetError(f"`{path}` does not exist; expected {_SUPPORTED}.")
    reader = read_image_folder if path.is_dir() else _READERS.get(path.suffix.lower())
    if reader is None:
        raise DatasetError(f"`{path}` cannot be read as a dataset; expected {_SUPPORTED}.")
    try:
        return reader(path, task=task, split=split)
    except OSError as error:
        raise DatasetError(f"`{path}` cannot be read: {error.strerror or error}.") from error
