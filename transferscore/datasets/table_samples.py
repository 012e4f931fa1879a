"""From a table with roles for its columns to rows that have samples and labels."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from transferscore.datasets.assembly import SourceRows
from transferscore.datasets.audio import AudioSample
from transferscore.datasets.columns import Roles
from transferscore.datasets.dataset import Exclusion
from transferscore.datasets.images import ImageSample
from transferscore.datasets.labels import label_text, number_of
from transferscore.datasets.media_files import leads_outside
from transferscore.datasets.rows import TableRow
from transferscore.datasets.table import Table
from transferscore.datasets.texts import TextPair, TokenSequence
from transferscore.errors import DatasetError

__all__ = ["ANYWHERE", "media_sample", "rows_of_table"]


ANYWHERE = Path()  # for tables in memory, whose paths are the caller's own


def rows_of_table(
    table: Table, roles: Roles, *, name: str, folder: Path | None = None
) -> SourceRows:
    """The rows of a table as samples and labels.

    Args:
        table: The rows.
        roles: What each column is for.
        name: Short name for the report.
        folder: The folder that paths of images and sounds must lie in, ANYWHERE, or None where
            values may not be paths.

    Raises:
        DatasetError: A value is not of the kind that its role asks for.
    """
    taken = () if roles.is_plain else (Exclusion(str(roles), 0),)
    rows = SourceRows(
        where=table.where,
        name=name,
        modality=roles.modality,
        samples=_samples(table, roles, folder),
        labels=_labels(table, roles),
        place=table.place,
        splits=_texts(table, roles.split),
        label_names=_label_names(table, roles),
        absent=_ABSENT.get(roles.modality, "have no text"),
        exclusions=taken,
        output_names=roles.labels if len(roles.labels) > 1 else (),
    )
    return replace(rows, groups=None if roles.group is None else table.columns[roles.group])


_ABSENT = {
    "image": "have no image, or name a file that is not there",
    "audio": "have no sound, or name a file that is not there",
    "tokens": "have no words",
    "table": "have no values",
}


def media_sample(
    value: object, kind: type[ImageSample | AudioSample], name: str, folder: Path | None
) -> ImageSample | AudioSample | None:
    """The image or sound that a cell stands for; None for an empty one and a file not there.

    Args:
        value: A sample, the bytes of a file, a path, decoded pixels or a decoded wave, or the
            mapping that Hugging Face datasets keep: `bytes` and `path`, or `array` and its rate.
        kind: `ImageSample` or `AudioSample`.
        name: The sample as a person would name it.
        folder: The folder that paths must lie in, ANYWHERE, or None where values are no paths.

    Raises:
        DatasetError: It is none of these.
    """
    if value is None or isinstance(value, kind):
        return value
    if isinstance(value, Mapping):
        return _of_mapping(value, kind, name, folder)
    if isinstance(value, bytes):
        return kind.from_bytes(value, name)
    if isinstance(value, str | Path):
        return _of_path(str(value), kind, folder)
    return _of_decoded(value, kind, name)


def _of_mapping(
    value: Mapping[str, Any],
    kind: type[ImageSample | AudioSample],
    name: str,
    folder: Path | None,
) -> ImageSample | AudioSample | None:
    if value.get("array") is not None and kind is AudioSample:
        return AudioSample.from_array(np.asarray(value["array"]), value["sampling_rate"], name)
    if value.get("bytes") is not None:
        path = str(value.get("path") or name)
        return kind.from_bytes(value["bytes"], path)
    return None if not value.get("path") else _of_path(str(value["path"]), kind, folder)


def _of_path(
    text: str, kind: type[ImageSample | AudioSample], folder: Path | None
) -> ImageSample | AudioSample | None:
    if not text.strip() or folder is None:
        return None
    if folder != ANYWHERE and leads_outside(text):
        raise DatasetError(f"Each file named in a table must lie beside it or below; got {text!r}.")
    path = folder / text
    return kind.from_file(path, text) if path.is_file() else None


def _of_decoded(
    value: Any, kind: type[ImageSample | AudioSample], name: str
) -> ImageSample | AudioSample:
    if kind is ImageSample and hasattr(value, "getbands"):
        return ImageSample.from_image(value, name)
    if kind is ImageSample and isinstance(value, np.ndarray):
        return ImageSample.from_array(value, name)
    if kind is AudioSample and hasattr(value, "get_all_samples"):
        heard = value.get_all_samples()
        return AudioSample.from_array(heard.data.numpy().T, heard.sample_rate, name)
    noun = "image" if kind is ImageSample else "sound"
    raise DatasetError(
        f"`{name}` must be an {noun}: a path, bytes, or decoded values; got {type(value).__name__}."
        if noun == "image"
        else f"`{name}` must be a sound: a path, bytes, or a mapping with `array` and "
        f"`sampling_rate`; got {type(value).__name__}."
    )


def _samples(table: Table, roles: Roles, folder: Path | None) -> Sequence[Any]:
    columns = [table.columns[name] for name in roles.samples]
    makers: dict[str, Callable[[], Sequence[Any]]] = {
        "text": lambda: _strings(table, columns[0]),
        "text_pair": lambda: _pairs(table, columns),
        "tokens": lambda: _sequences(table, columns[0]),
        "image": lambda: _media(table, columns[0], ImageSample, folder),
        "audio": lambda: _media(table, columns[0], AudioSample, folder),
        "table": lambda: _table_rows(roles.samples, columns),
    }
    return makers[roles.modality]()


def _strings(table: Table, values: Sequence[Any]) -> Sequence[Any]:
    _check_values(table, values, (str,), "Each text in `{}` must be a string")
    return values


def _pairs(table: Table, columns: Sequence[Sequence[Any]]) -> list[TextPair | None]:
    firsts, seconds = (_strings(table, column) for column in columns)
    return [
        None if first is None or second is None else TextPair(first, second)
        for first, second in zip(firsts, seconds, strict=True)
    ]


def _sequences(table: Table, values: Sequence[Any]) -> list[TokenSequence | None]:
    sequences: list[TokenSequence | None] = []
    for row, value in enumerate(values):
        words = value.tolist() if isinstance(value, np.ndarray) else value
        if words is None or (isinstance(words, list | tuple) and not words):
            sequences.append(None)
        elif isinstance(words, list | tuple) and all(isinstance(word, str) for word in words):
            sequences.append(TokenSequence(tuple(words)))
        else:
            raise DatasetError(
                f"The words of each row of `{table.where}` must be a list of strings; "
                f"got {value!s:.60} in {table.place(row)}."
            )
    return sequences


def _media(
    table: Table,
    values: Sequence[Any],
    kind: type[ImageSample | AudioSample],
    folder: Path | None,
) -> list[ImageSample | AudioSample | None]:
    return [media_sample(value, kind, table.place(row), folder) for row, value in enumerate(values)]


def _table_rows(names: tuple[str, ...], columns: Sequence[Sequence[Any]]) -> list[TableRow | None]:
    """Rows of numbers and names; a row without any value is none."""
    typed = [_typed(values) for values in columns]
    rows = (TableRow(names, values) for values in zip(*typed, strict=True))
    return [None if all(value is None for value in row.values) else row for row in rows]


def _typed(values: Sequence[Any]) -> list[float | str | None]:
    """A column as numbers where all of it is, as names otherwise; None where nothing stands."""
    texts = [label_text(value) for value in values]
    numbers = [number_of(value) for value in values]
    missing = [text is None for text in texts]
    if all(absent or number is not None for absent, number in zip(missing, numbers, strict=True)):
        return [None if gone else number for gone, number in zip(missing, numbers, strict=True)]
    return list(texts)


def _labels(table: Table, roles: Roles) -> Sequence[Any]:
    """One label a row; or a list of them for several columns, lists of names, and words' tags."""
    if len(roles.labels) > 1:
        rows = zip(*(table.columns[name] for name in roles.labels), strict=True)
        return [None if any(label_text(v) is None for v in row) else list(row) for row in rows]
    values = [
        value.tolist() if isinstance(value, np.ndarray | np.generic) else value
        for value in table.columns[roles.labels[0]]
    ]
    kinds = (str, int, float, list, tuple)
    _check_values(table, values, kinds, "Each label in `{}` must be a name, a number or a list")
    return values


def _check_values(
    table: Table, values: Sequence[Any], kinds: tuple[type, ...], expected: str
) -> None:
    """Refuse lists and objects, which JSON Lines can hold, where a plain value is expected."""
    for row, value in enumerate(values):
        if value is not None and not isinstance(value, kinds):
            raise DatasetError(
                f"{expected.format(table.where)}; got {value!s:.60} in {table.place(row)}."
            )


def _texts(table: Table, column: str | None) -> list[str] | None:
    if column is None:
        return None
    return ["" if name is None else str(name).strip() for name in table.columns[column]]


def _label_names(table: Table, roles: Roles) -> dict[str, str]:
    """Names to show instead of class ids: of the column itself, or of the column beside it."""
    if len(roles.labels) == 1 and (names := table.class_names.get(roles.labels[0])):
        return {str(position): name for position, name in enumerate(names)}
    if roles.label_name is None or len(roles.labels) > 1:
        return {}
    pairs = zip(table.columns[roles.labels[0]], table.columns[roles.label_name], strict=True)
    texts = ((label_text(label), label_text(name)) for label, name in pairs)
    return {label: name for label, name in texts if label is not None and name is not None}
