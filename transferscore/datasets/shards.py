"""Reader of webdataset shards: tar files in which members of one stem are one sample."""

from __future__ import annotations

import json
import re
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from transferscore.datasets.audio import AUDIO_SUFFIXES, AudioSample
from transferscore.datasets.columns import Columns
from transferscore.datasets.dataset import Dataset
from transferscore.datasets.decoding import IMAGE_SUFFIXES
from transferscore.datasets.images import ImageSample
from transferscore.datasets.origins import Slice, file_stamp
from transferscore.datasets.table import table_of_records
from transferscore.datasets.table_file import dataset_of_table
from transferscore.datasets.task import Task
from transferscore.errors import DatasetError
from transferscore.wording import one_line

__all__ = ["is_shards", "read_shards", "shard_paths"]

_SUFFIXES = (".tar", ".tar.gz", ".tgz")
_BRACES = re.compile(r"\{(\d+)\.\.(\d+)\}")
_LARGEST_FIELD = 2**26  # of a label, text or JSON member: a header can claim any size


def is_shards(source: str) -> bool:
    """Whether a source names tar files."""
    return source.lower().endswith(_SUFFIXES)


def shard_paths(pattern: str) -> list[Path]:
    """The files that a name, a glob, or a range such as `train-{000..003}.tar` means, in order."""
    braces = _BRACES.search(pattern)
    if braces:
        first, last = braces.groups()
        numbers = (str(k).zfill(len(first)) for k in range(int(first), int(last) + 1))
        names = [pattern[: braces.start()] + n + pattern[braces.end() :] for n in numbers]
        return [path for name in names for path in shard_paths(name)]
    path = Path(pattern)
    return [path] if path.exists() else sorted(path.parent.glob(path.name))


def read_shards(
    source: str,
    *,
    task: str | Task | None = None,
    split: str | None = None,
    columns: Columns | None = None,
) -> Dataset:
    """The samples of tar files: members `a/b.jpg`, `a/b.cls`, `a/b.json` are one, called `a/b`.

    Its columns are the suffixes of the members and the keys of its JSON. Images and sounds are read
    from the tar when somebody looks at them, but for compressed tars, which are read at once.

    Args:
        source: A tar file, a glob, or a range such as `train-{000..003}.tar`.
        task: What is to be learnt; None to go by the labels.
        split: The split to read; None for the train split, or all rows where there are none.
        columns: The columns of each role; see `named_columns`.

    Raises:
        DatasetError: A shard is not there or is no tar file, or has no samples with a label.
    """
    paths = shard_paths(source)
    if not paths or not all(path.is_file() for path in paths):
        absent = next((path for path in paths if not path.is_file()), source)
        raise DatasetError(f"`{absent}` does not exist; expected a tar file of samples.")
    records: dict[str, dict[str, Any]] = {}
    for path in paths:
        try:
            _collect(path, records)
        except (tarfile.TarError, OSError, EOFError, ValueError) as error:
            reason = one_line(error).rstrip(".")
            raise DatasetError(f"`{path}` cannot be read as a tar file: {reason}.") from error
    table = table_of_records(list(records.values()), source)
    name = paths[0].name.split(".")[0]
    return dataset_of_table(table, name=name, task=task, split=split, columns=columns)


def _collect(path: Path, records: dict[str, dict[str, Any]]) -> None:
    """Add the samples of one shard; the key is the shard's too, as stems may come again."""
    with tarfile.open(path) as archive:
        is_plain = archive.fileobj is not None and not path.name.lower().endswith(("gz", "tgz"))
        stamp = file_stamp(path)
        for member in _files(archive):
            stem, _, suffix = member.name.rpartition("/")[2].partition(".")
            folder = member.name.rpartition("/")[0]
            record = records.setdefault(f"{path}:{folder}/{stem}", {})
            suffix = suffix.lower()
            if f".{suffix}".endswith(IMAGE_SUFFIXES + AUDIO_SUFFIXES):
                record[_media_column(suffix)] = _media(archive, member, is_plain, (path, stamp))
            else:
                record |= _field(archive, member, suffix)


def _files(archive: tarfile.TarFile) -> Iterator[tarfile.TarInfo]:
    for member in archive:
        hidden = any(part.startswith(".") and part != "." for part in member.name.split("/"))
        if member.isreg() and not hidden and "." in member.name.rpartition("/")[2]:
            yield member


def _media_column(suffix: str) -> str:
    return "image" if f".{suffix}".endswith(IMAGE_SUFFIXES) else "audio"


def _media(
    archive: tarfile.TarFile,
    member: tarfile.TarInfo,
    is_plain: bool,
    shard: tuple[Path, tuple[int, int]],
) -> ImageSample | AudioSample:
    kind = ImageSample if f".{member.name.lower()}".endswith(IMAGE_SUFFIXES) else AudioSample
    if is_plain:
        place = (member.offset_data, member.size)
        return kind(member.name, Slice(str(shard[0]), shard[1], place))
    file = archive.extractfile(member)
    return kind.from_bytes(b"" if file is None else file.read(), member.name)


def _field(archive: tarfile.TarFile, member: tarfile.TarInfo, suffix: str) -> dict[str, Any]:
    """What a member that is no image or sound says: JSON keys, or its text under its suffix."""
    if member.size > _LARGEST_FIELD:
        raise ValueError(f"`{member.name}` has {member.size} bytes; {_LARGEST_FIELD} are allowed")
    file = archive.extractfile(member)
    content = b"" if file is None else file.read()
    if suffix == "json":
        document = json.loads(content)
        return dict(document) if isinstance(document, dict) else {"json": document}
    try:
        text = content.decode("utf-8").strip()
    except UnicodeDecodeError:
        return {}
    return {"text" if suffix == "txt" else suffix: text}
