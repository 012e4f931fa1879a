"""Reader of a zip archive of images or sounds."""

from __future__ import annotations

import zipfile
from pathlib import Path, PurePosixPath

from transferscore.datasets.assembly import SourceRows, assemble
from transferscore.datasets.columns import Columns, refuse_columns
from transferscore.datasets.dataset import Dataset
from transferscore.datasets.media_files import (
    INDEX_NAME,
    Kind,
    Sample,
    is_hidden,
    is_media,
    leads_outside,
    rows_by_folder,
    rows_by_index,
)
from transferscore.datasets.origins import file_stamp
from transferscore.datasets.splits import is_split_name
from transferscore.datasets.table import parse_delimited
from transferscore.datasets.task import Task
from transferscore.errors import DatasetError

__all__ = ["read_media_zip"]

_LARGEST_INDEX = 2**30  # an archive can claim to unpack into more than the machine holds


def read_media_zip(
    path: str | Path,
    *,
    task: str | Task | None = None,
    split: str | None = None,
    columns: Columns | None = None,
) -> Dataset:
    """The images or sounds of a zip with an `index.csv` (`file,label[,label_name][,split]`).

    Without an index it is read like a folder: `<class>/...` or `<split>/<class>/...`. One folder
    around everything does not count. Nothing is unpacked to disk, and nothing is decoded.

    Args:
        path: The archive.
        task: What is to be learnt; None to go by the labels.
        split: The split to read; None for the train split, or all rows where there are none.
        columns: Other columns of the index than file, label and split; see `named_columns`.

    Raises:
        DatasetError: It is no such archive, or a member's path leads outside of it.
    """
    path = Path(path)
    try:
        with zipfile.ZipFile(path) as archive:
            rows = _rows(archive, path, columns)
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError) as error:
        raise DatasetError(f"`{path}` cannot be read as a zip archive: {error}.") from error
    return assemble(rows, task, split)


def _rows(archive: zipfile.ZipFile, path: Path, columns: Columns | None) -> SourceRows:
    members = _members(archive, path)
    index = _index_of(members)
    if index is None:
        refuse_columns(columns, str(path))
        return _rows_by_folder(members, path)
    base, known = index.removesuffix(INDEX_NAME), set(members)
    stamp = file_stamp(path)

    def sample(kind: Kind, file: str) -> Sample | None:
        member = base + str(PurePosixPath(file))
        return kind.sample.from_zip(path, member, stamp) if member in known else None

    table = parse_delimited(_index_content(archive, index, path), f"{path}/{index}")
    return rows_by_index(table, sample, where=str(path), name=path.stem, columns=columns)


def _rows_by_folder(members: list[str], path: Path) -> SourceRows:
    """Rows by class folder, below the one folder that may hold everything."""
    files = [member for member in members if not member.endswith("/")]
    base = _folder_around(files)
    folders = {member[:-1].removeprefix(base) for member in members if member.endswith("/")}
    stamp = file_stamp(path)
    return rows_by_folder(
        [file.removeprefix(base) for file in files],
        folders - {""},
        lambda kind, file: kind.sample.from_zip(path, base + file, stamp),
        where=str(path),
        name=path.stem,
    )


def _folder_around(files: list[str]) -> str:
    """The one folder, with a slash, around two levels or more; "" if there is none.

    A folder called like a split is never that one: its rows would be read without being asked for.
    """
    tops = {file.split("/")[0] for file in files}
    depths = [file.count("/") for file in files if is_media(file)]
    is_around = len(tops) == 1 and bool(depths) and min(depths) >= 2
    return f"{next(iter(tops))}/" if is_around and not is_split_name(next(iter(tops))) else ""


def _members(archive: zipfile.ZipFile, path: Path) -> list[str]:
    """Names of the members that are not hidden, each once; folders end in a slash."""
    names = list(dict.fromkeys(archive.namelist()))
    for name in names:
        if leads_outside(name):
            raise DatasetError(f"`{path}` has a member whose path leads outside of it: {name!r}.")
    return [name for name in names if not is_hidden(name)]


def _index_of(members: list[str]) -> str | None:
    """The index at the root, or in the one folder that holds everything."""
    if INDEX_NAME in members:
        return INDEX_NAME
    tops = {member.split("/")[0] for member in members}
    inner = f"{next(iter(tops))}/{INDEX_NAME}" if len(tops) == 1 else ""
    return inner if inner in members else None


def _index_content(archive: zipfile.ZipFile, index: str, path: Path) -> bytes:
    size = archive.getinfo(index).file_size
    if size > _LARGEST_INDEX:
        raise DatasetError(
            f"`{path}/{index}` unpacks into {size} bytes; an index may have {_LARGEST_INDEX}."
        )
    return archive.read(index)
