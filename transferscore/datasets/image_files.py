"""What image folders and image archives share: labels by folder, or by an index."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from pathlib import PurePosixPath
from typing import Any

from transferscore.datasets.assembly import SourceRows
from transferscore.datasets.dataset import Exclusion
from transferscore.datasets.decoding import IMAGE_SUFFIXES
from transferscore.datasets.images import ImageSample
from transferscore.datasets.labels import natural_key
from transferscore.datasets.selection import EXAMPLES
from transferscore.datasets.splits import is_split_name
from transferscore.datasets.table import Table, column_named
from transferscore.errors import DatasetError

__all__ = [
    "INDEX_NAME",
    "is_hidden",
    "is_image",
    "leads_outside",
    "rows_by_folder",
    "rows_by_index",
]

INDEX_NAME = "index.csv"


def is_image(path: str) -> bool:
    """Whether `path` has the suffix of an image format that can be read."""
    return path.lower().endswith(IMAGE_SUFFIXES)


def is_hidden(path: str) -> bool:
    """Whether `path` is what a system keeps for itself: .DS_Store, __MACOSX/..., Thumbs.db."""
    parts = path.split("/")
    hidden = any(part.startswith(".") or part == "__MACOSX" for part in parts)
    return hidden or parts[-1].lower() in {"thumbs.db", "desktop.ini"}


def rows_by_folder(
    paths: Collection[str],
    folders: Collection[str],
    sample: Callable[[str], ImageSample],
    *,
    where: str,
    name: str,
) -> SourceRows:
    """Rows of a `<class>/...` or `<split>/<class>/...` tree, classes and files in natural order.

    It has splits when every top folder with images bears the name of one (train, test, ...). An
    image outside every class folder is a row without a label.

    Args:
        paths: Files of the tree relative to its root, with forward slashes; hidden ones left out.
        folders: Its folders, likewise; those without files matter.
        sample: Makes the sample of a path.
        where: The tree as the user wrote it, for messages.
        name: Short name for the report.

    Raises:
        DatasetError: There are no images in sub-folders.
    """
    images = sorted((path for path in paths if is_image(path)), key=_by_parts)
    tops = {path.split("/")[0] for path in images if "/" in path}
    if not tops:
        raise DatasetError(
            f"`{where}` has no images in sub-folders; expected one folder per class with files "
            f"{', '.join(IMAGE_SUFFIXES)}, or an {INDEX_NAME}."
        )
    depth = 2 if all(map(is_split_name, tops)) else 1
    labels = [_part(path, depth) for path in images]
    return SourceRows(
        where=where,
        name=name,
        modality="image",
        samples=[sample(path) for path in images],
        labels=labels,
        place=images.__getitem__,
        splits=[_part(path, 1) or "" for path in images] if depth == 2 else None,
        exclusions=_remarks(paths, folders, images, depth),
    )


def rows_by_index(
    table: Table, sample: Callable[[str], ImageSample | None], *, where: str, name: str
) -> SourceRows:
    """Rows of an index: `file`, `label`, and if they are there `label_name` and `split`.

    Args:
        table: The index.
        sample: Makes the sample of a file that the index names; None if there is no such file.
        where: The folder or archive as the user wrote it, for messages.
        name: Short name for the report.

    Raises:
        DatasetError: A column is missing, a file lies outside, or none is an image.
    """
    files = [str(file).strip() for file in table.columns[_required(table, "file")]]
    labels = [str(label).strip() for label in table.columns[_required(table, "label")]]
    _refuse_outside(table, files)
    _refuse_other_files(table, files)
    names = _optional(table, "label_name")
    if names is not None:
        labels = [label or shown for label, shown in zip(labels, names, strict=True)]
    return SourceRows(
        where=where,
        name=name,
        modality="image",
        samples=[sample(file) if is_image(file) else None for file in files],
        labels=labels,
        place=files.__getitem__,
        splits=_optional(table, "split"),
        label_names={} if names is None else _label_names(table, labels, names),
        absent=f"name a file that is not there, or is no image ({', '.join(IMAGE_SUFFIXES)})",
    )


def _by_parts(path: str) -> tuple[Any, ...]:
    return (*(natural_key(part) for part in path.split("/")), path)


def _part(path: str, depth: int) -> str | None:
    """The folder at `depth` on the way to a file, None for a file that lies above it."""
    parts = path.split("/")
    return parts[depth - 1] if len(parts) > depth else None


def _remarks(
    paths: Collection[str], folders: Collection[str], images: Sequence[str], depth: int
) -> tuple[Exclusion, ...]:
    """Class folders without images, and files that are none."""
    filled = {"/".join(path.split("/")[:depth]) for path in images}
    empty = sorted(
        folder for folder in folders if folder.count("/") == depth - 1 and folder not in filled
    )
    others = sorted(path for path in paths if not is_image(path))
    remarks = []
    if empty:
        found = "a class folder has" if len(empty) == 1 else f"{len(empty)} class folders have"
        remarks.append(Exclusion(f"{found} no images", 0, tuple(empty[:EXAMPLES])))
    if others:
        remarks.append(Exclusion("not an image file", len(others), tuple(others[:EXAMPLES])))
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
    if files and not any(is_image(file) for file in files):
        raise DatasetError(
            f"`{table.where}` lists no images ({', '.join(IMAGE_SUFFIXES)}); "
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
