"""Reader of a folder of images or sounds."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from transferscore.datasets.assembly import assemble
from transferscore.datasets.columns import Columns, refuse_columns
from transferscore.datasets.dataset import Dataset
from transferscore.datasets.media_files import (
    INDEX_NAME,
    Kind,
    Sample,
    is_hidden,
    rows_by_folder,
    rows_by_index,
)
from transferscore.datasets.table import parse_delimited
from transferscore.datasets.task import Task

__all__ = ["read_media_folder"]


def read_media_folder(
    path: str | Path,
    *,
    task: str | Task | None = None,
    split: str | None = None,
    columns: Columns | None = None,
) -> Dataset:
    """The images or sounds of a folder, `<class>/...` or `<split>/<class>/...`, to any depth below.

    With an `index.csv` in it, that says which file has which label and split, as in an archive.
    Nothing is decoded. Links to files and to class folders are followed, links below are not.

    Args:
        path: The folder.
        task: What is to be learnt; None to go by the labels.
        split: The split to read; None for the train split, or all rows where there are none.
        columns: Other columns of the index than file, label and split; see `named_columns`.

    Raises:
        DatasetError: It does not hold images or sounds in classes; the message says why.
    """
    root = Path(path)
    where, name = str(path), root.resolve().name
    index = root / INDEX_NAME
    if index.is_file():
        table = parse_delimited(index.read_bytes(), str(index))
        rows = rows_by_index(
            table,
            lambda kind, file: _sample(kind, root, file),
            where=where,
            name=name,
            columns=columns,
        )
    else:
        refuse_columns(columns, where)
        files: list[str] = []
        folders: list[str] = []
        for entry, is_folder in _entries(root, "", depth=0):
            (folders if is_folder else files).append(entry)
        rows = rows_by_folder(
            files,
            folders,
            lambda kind, file: kind.sample.from_file(root / file, file),
            where=where,
            name=name,
        )
    return assemble(rows, task, split)


def _sample(kind: Kind, root: Path, file: str) -> Sample | None:
    return kind.sample.from_file(root / file, file) if (root / file).is_file() else None


def _entries(folder: Path, prefix: str, depth: int) -> Iterator[tuple[str, bool]]:
    """Path below the root, and whether it is a folder, of all that is not hidden."""
    with os.scandir(folder) as entries:
        for entry in entries:
            path = prefix + entry.name
            if is_hidden(path):
                continue
            is_folder = entry.is_dir(follow_symlinks=depth < 2)
            if is_folder:
                yield from _entries(Path(entry.path), f"{path}/", depth + 1)
            if is_folder or entry.is_file():
                yield path, is_folder
