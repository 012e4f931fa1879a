"""read_dataset: one door for every source."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from transferscore.datasets.array_file import read_arrays
from transferscore.datasets.arrays import dataset_from_arrays
from transferscore.datasets.columns import Columns, refuse_columns
from transferscore.datasets.dataset import Dataset
from transferscore.datasets.frames import table_of_memory
from transferscore.datasets.hub import read_hub_dataset
from transferscore.datasets.media_folder import read_media_folder
from transferscore.datasets.media_zip import read_media_zip
from transferscore.datasets.remote import fetched, is_remote
from transferscore.datasets.shards import is_shards, read_shards
from transferscore.datasets.table_file import TABLE_SUFFIXES, dataset_of_table, read_table_file
from transferscore.datasets.table_samples import ANYWHERE
from transferscore.datasets.task import Task, task_named
from transferscore.datasets.torch_items import is_torch_dataset, torch_items
from transferscore.errors import DatasetError

__all__ = ["read_dataset"]

_Reader = Callable[..., Dataset]
_READERS: dict[str, _Reader] = {
    ".zip": read_media_zip,
    ".npz": read_arrays,
    ".safetensors": read_arrays,
    **dict.fromkeys(TABLE_SUFFIXES, read_table_file),
}
_SUPPORTED = (
    f"a folder of images or sounds, or a file {', '.join(sorted([*_READERS, '.tar']))}, "
    "or hf:NAME for a dataset of the Hugging Face hub"
)


def read_dataset(
    source: object,
    *,
    labels: object = None,
    task: str | Task | None = None,
    split: str | None = None,
    columns: Columns | None = None,
) -> Dataset:
    """The labelled target samples of `source`. Images and sounds are not decoded.

    Args:
        source: A folder or .zip of images or sounds; a .csv, .tsv, .jsonl, .json or .parquet of
            texts, pairs, words, paths or numbers; .tar shards of a webdataset; a .npz or
            .safetensors of arrays; any of them by an fsspec URI; `hf:NAME` of the Hugging Face
            hub; a pandas or polars frame, a Hugging Face or torch dataset, a list of mappings;
            samples in memory, with `labels`; or a Dataset, returned as it is.
        labels: One label per sample in memory; everything else brings its own.
        task: "classification", "multilabel", "regression" or "token_classification"; None to go by
            the labels.
        split: The split to read; None for the train split where there are splits, else all rows.
            Rows of other splits are never decoded.
        columns: The columns of each role, as {"text": "review", "label": "stars"} or
            "text=review,label=stars"; those that are not named are guessed, and said so.

    Raises:
        DatasetError: It cannot be read as asked; the message says what was expected, and where.
        UnknownNameError: There is no such task.
        MissingExtraError: A package that reads this kind of source is not installed.
    """
    chosen = task_named(task) if isinstance(task, str) else task
    if isinstance(source, Dataset):
        refuse_columns(columns, source.name)
        return _as_it_is(source, labels, chosen, split)
    if not isinstance(source, str | Path):
        return _of_memory(source, labels, task=chosen, split=split, columns=columns)
    if labels is not None:
        raise DatasetError(f"`labels` go with samples in memory; `{source}` brings its own.")
    if str(source).startswith("hf:"):
        return read_hub_dataset(str(source), task=chosen, split=split, columns=columns)
    if is_remote(str(source)):
        return _read_path(fetched(str(source)), chosen, split, columns)
    return _read_path(Path(source).expanduser(), chosen, split, columns)


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


def _of_memory(
    source: Any,
    labels: object,
    *,
    task: Task | None,
    split: str | None,
    columns: Columns | None,
) -> Dataset:
    table = table_of_memory(source) if labels is None else None
    if table is not None:
        return dataset_of_table(
            table, name=table.where, task=task, split=split, columns=columns, folder=ANYWHERE
        )
    refuse_columns(columns, "X")
    if labels is None and is_torch_dataset(source):
        samples, labels, names = torch_items(source)
        return dataset_from_arrays(samples, labels, task=task, class_names=names)
    if split is not None:
        raise DatasetError(f"Arrays have no splits; got `split={split!r}`. Leave it out.")
    return dataset_from_arrays(_values(source), labels, task=task)


def _values(source: Any) -> Any:
    """A frame with `labels` beside it as its numbers; anything else as it is."""
    return source.to_numpy() if hasattr(source, "to_numpy") else source


def _read_path(
    path: Path, task: Task | None, split: str | None, columns: Columns | None
) -> Dataset:
    if is_shards(str(path)):
        return read_shards(str(path), task=task, split=split, columns=columns)
    if not path.exists():
        raise DatasetError(f"`{path}` does not exist; expected {_SUPPORTED}.")
    reader = read_media_folder if path.is_dir() else _READERS.get(path.suffix.lower())
    if reader is None:
        raise DatasetError(f"`{path}` cannot be read as a dataset; expected {_SUPPORTED}.")
    try:
        return reader(path, task=task, split=split, columns=columns)
    except OSError as error:
        raise DatasetError(f"`{path}` cannot be read: {error.strerror or error}.") from error
