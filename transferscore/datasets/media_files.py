"""What folders and archives of images or sounds share: labels by folder, or by an index."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any, TypeAlias

from transferscore.datasets.assembly import SourceRows
from transferscore.datasets.audio import AUDIO_SUFFIXES, AudioSample
from transferscore.datasets.columns import Columns, named_columns
from transferscore.datasets.dataset import Exclusion, Modality
from transferscore.datasets.decoding import IMAGE_SUFFIXES
from transferscore.datasets.images import ImageSample
from transferscore.datasets.labels import natural_key
from transferscore.datasets.selection import EXAMPLES
from transferscore.datasets.splits import is_split_name
from transferscore.datasets.table import Table, column_named
from transferscore.errors import DatasetError

__all__ = [
    "INDEX_NAME",
    "Kind",
    "is_hidden",
    "is_media",
    "leads_outside",
    "rows_by_folder",
    "rows_by_index",
]

INDEX_NAME = "index.csv"
Sample: TypeAlias = ImageSample | AudioSample


@dataclass(frozen=True, slots=True)
class Kind:
    """What the files of a dataset are.

    Attributes:
        modality: Of the samples.
        noun: One of them, as a message calls it.
        suffixes: Of the files.
        sample: The class of the samples.
    """

    modality: Modality
    noun: str
    suffixes: tuple[str, ...]
    sample: type[ImageSample | AudioSample]

    def has(self, path: str) -> bool:
        """Whether a file is of this kind, by its suffix."""
        return path.lower().endswith(self.suffixes)


_OTHER = {"image": "not an image file", "audio": "not an audio file"}
_IMAGES = Kind("image", "image", IMAGE_SUFFIXES, ImageSample)
_SOUNDS = Kind("audio", "sound", AUDIO_SUFFIXES, AudioSample)


def is_media(path: str) -> bool:
    """Whether `path` has the suffix of an image or audio format that can be read."""
    return _IMAGES.has(path) or _SOUNDS.has(path)


def _kind_of(paths: Collection[str]) -> Kind:
    """What most of these files are; images where they are neither."""
    n_sounds, n_images = (sum(map(kind.has, paths)) for kind in (_SOUNDS, _IMAGES))
    return _SOUNDS if n_sounds > n_images else _IMAGES


def is_hidden(path: str) -> bool:
    """Whether `path` is what a system keeps for itself: .DS_Store, __MACOSX/..., Thumbs.db."""
    parts = path.split("/")
    hidden = any(part.startswith(".") or part == "__MACOSX" for part in parts)
    return hidden or parts[-1].lower() in {"thumbs.db", "desktop.ini"}


def rows_by_folder(
    paths: Collection[str],
    folders: Collection[str],
    sample: Callable[[Kind, str], Sample],
    *,
    where: str,
    name: str,
) -> SourceRows:
    """Rows of a `<class>/...` or `<split>/<class>/...` tree, classes and files in natural order.

    It has splits when every top folder with images (or sounds, if there are more of them) bears the
    name of one (train, test, ...). A file outside every class folder is a row without a label.

    Args:
        paths: Files of the tree relative to its root, with forward slashes; hidden ones left out.
        folders: Its folders, likewise; those without files matter.
        sample: Makes the sample of a path, of the kind that the files are.
        where: The tree as the user wrote it, for messages.
        name: Short name for the report.

    Raises:
        DatasetError: There are no images or sounds in sub-folders.
    """
    kind = _kind_of(paths)
    files = sorted((path for path in paths if kind.has(path)), key=_by_parts)
    tops = {path.split("/")[0] for path in files if "/" in path}
    if not tops:
        raise DatasetError(
            f"`{where}` has no images or sounds in sub-folders; expected one folder per class with "
            f"files such as .jpg, .png, .wav or .flac, or an {INDEX_NAME}."
        )
    depth = 2 if all(map(is_split_name, tops)) else 1
    labels = [_part(path, depth) for path in files]
    return SourceRows(
        where=where,
        name=name,
        modality=kind.modality,
        samples=[sample(kind, path) for path in files],
        labels=labels,
        place=files.__getitem__,
        splits=[_part(path, 1) or "" for path in files] if depth == 2 else None,
        exclusions=_remarks(paths, folders, files, (kind, depth)),
    )


def rows_by_index(
    table: Table,
    sample: Callable[[Kind, str], Sample | None],
    *,
    where: str,
    name: str,
    columns: Columns | None = None,
) -> SourceRows:
    """Rows of an index: `file`, `label`, and if they are there `label_name` and `split`.

    Args:
        table: The index.
        sample: Makes the sample of a file that the index names; None if there is no such file.
        where: The folder or archive as the user wrote it, for messages.
        name: Short name for the report.
        columns: Other columns to take as image, audio, label, split or group.

    Raises:
        DatasetError: A column is missing, a file lies outside, or none is an image or a sound.
    """
    named = _check_named(table, named_columns(columns))
    file_column = named.get("image") or named.get("audio") or _required(table, "file")
    label_column = named.get("label") or _required(table, "label")
    files = [str(file).strip() for file in table.columns[file_column]]
    labels = [str(label).strip() for label in table.columns[label_column]]
    kind = _kind_of(files)
    _refuse_outside(table, files)
    _refuse_other_files(table, files)
    names = None if "label" in named else _optional(table, "label_name")
    if names is not None:
        labels = [label or shown for label, shown in zip(labels, names, strict=True)]
    return SourceRows(
        where=where,
        name=name,
        modality=kind.modality,
        samples=[sample(kind, file) if kind.has(file) else None for file in files],
        labels=labels,
        place=files.__getitem__,
        splits=_optional(table, named.get("split", "split")),
        label_names={} if names is None else _label_names(table, labels, names),
        absent=f"name a file that is not there, or is no {kind.noun} ({', '.join(kind.suffixes)})",
        groups=table.columns[named["group"]] if "group" in named else None,
    )


def _check_named(table: Table, named: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """The one column of each role that the user names, once it is sure that it is there."""
    for role, names in named.items():
        if names[0] not in table.columns:
            raise DatasetError(
                f"`{table.where}` has no column {names[0]!r}, which `columns` names as the {role}; "
                f"its columns are {', '.join(table.columns)}."
            )
    return {role: names[0] for role, names in named.items()}


def _by_parts(path: str) -> tuple[Any, ...]:
    return (*(natural_key(part) for part in path.split("/")), path)


def _part(path: str, depth: int) -> str | None:
    """The folder at `depth` on the way to a file, None for a file that lies above it."""
    parts = path.split("/")
    return parts[depth - 1] if len(parts) > depth else None


def _remarks(
    paths: Collection[str],
    folders: Collection[str],
    files: Sequence[str],
    read_as: tuple[Kind, int],
) -> tuple[Exclusion, ...]:
    """Class folders without images (or sounds), and files that are none."""
    kind, depth = read_as
    filled = {"/".join(path.split("/")[:depth]) for path in files}
    empty = sorted(
        folder for folder in folders if folder.count("/") == depth - 1 and folder not in filled
    )
    others = sorted(path for path in paths if not kind.has(path))
    remarks = []
    if empty:
        found = "a class folder has" if len(empty) == 1 else f"{len(empty)} class folders have"
        remarks.append(Exclusion(f"{found} no {kind.noun}s", 0, tuple(empty[:EXAMPLES])))
    if others:
        remarks.append(Exclusion(_OTHER[kind.modality], len(others), tuple(others[:EXAMPLES])))
    return tuple(remarks)


def _required(table: Table, column: str) -> str:
    found = column_named(table, (column,), what=column)
    if found is None:
        raise DatasetError(
            f"`{table.where}` must have the columns file and label (and may have label_name and "
            f"split); its columns are {', '.join(table.columns)}."
        )
    return found


def _optional(table: Table, column: str) -> list[str] | None:
    found = column_named(table, (column,), what=column)
    return None if found is None else [str(value).strip() for value in table.columns[found]]


def _refuse_outside(table: Table, files: Sequence[str]) -> None:
    for row, file in enumerate(files):
        if leads_outside(file):
            raise DatasetError(
                f"Each file in `{table.where}` must lie beside it or below; "
                f"{table.place(row)} names {file!r}."
            )


def leads_outside(path: str) -> bool:
    """Whether a path is absolute, climbs up, or is written as on Windows."""
    return path.startswith("/") or "\\" in path or ".." in PurePosixPath(path).parts


def _refuse_other_files(table: Table, files: Sequence[str]) -> None:
    if files and not any(map(is_media, files)):
        raise DatasetError(
            f"`{table.where}` lists no images or sounds (.jpg, .png, .wav, .flac, ...); "
            f"its first file is {files[0]!r}."
        )


def _label_names(table: Table, labels: Sequence[str], names: Sequence[str]) -> dict[str, str]:
    known: dict[str, str] = {}
    for row, (label, name) in enumerate(zip(labels, names, strict=True)):
        if name and known.setdefault(label, name) != name:
            raise DatasetError(
                f"`{table.where}` calls the label {label!r} both {known[label]!r} and {name!r} "
                f"({table.place(row)}); each label needs one name."
            )
    return known
