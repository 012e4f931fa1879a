"""What a caller ranks on, as what can be sent: a file, or typed samples."""

from __future__ import annotations

import contextlib
import hashlib
import io
import tempfile
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from transferscore.client.spec import task_of
from transferscore.errors import DatasetError
from transferscore.v1 import dataset_service_pb2 as pb
from transferscore.v1 import types_pb2

__all__ = [
    "FileSource",
    "SampleSource",
    "Source",
    "fingerprint_source",
    "source_of",
    "tensor_of",
]

_FORMATS: dict[str, Any] = {
    ".zip": pb.Dataset.ZIP,
    ".csv": pb.Dataset.CSV,
    ".tsv": pb.Dataset.TSV,
    ".jsonl": pb.Dataset.JSONL,
    ".ndjson": pb.Dataset.JSONL,
    ".parquet": pb.Dataset.PARQUET,
    ".npz": pb.Dataset.NPZ,
}
_BLOCK = 1 << 20
_EPOCH = (1980, 1, 1, 0, 0, 0)


@dataclass(frozen=True, slots=True)
class FileSource:
    """A file to be sent as it is.

    Attributes:
        path: Where it lies.
        name: Its name, by which reports call the dataset.
        format: What its bytes are.
        digest: `sha256:HEX` of them.
        size: How many.
    """

    path: Path
    name: str
    format: Any
    digest: str
    size: int

    def chunks(self, start: int, size: int) -> Iterator[tuple[int, bytes]]:
        """Offset and bytes of every chunk from `start` on."""
        with self.path.open("rb") as file:
            file.seek(start)
            while chunk := file.read(size):
                yield start, chunk
                start += len(chunk)


@dataclass(frozen=True, slots=True)
class SampleSource:
    """Samples in memory, to be sent one by one.

    Attributes:
        dataset: The Dataset.
        name: By which reports call it.
        task: What is to be learnt.
    """

    dataset: Any
    name: str
    task: Any

    def samples(self, start: int) -> Iterator[Any]:
        """The samples from `start` on, as messages."""
        for row in range(start, len(self.dataset)):
            message = _content(self.dataset.samples[row])
            _label(message, self.dataset, self.dataset.labels[row])
            yield message


Source = FileSource | SampleSource


@contextlib.contextmanager
def source_of(dataset: Any, labels: Any, task: str | None) -> Iterator[Source]:
    """What is to be sent of a dataset as `rank` takes it; temporary files live as long as this.

    Raises:
        DatasetError: There is no such file, or it is of no kind that a server reads.
    """
    if not isinstance(dataset, str | Path):
        from transferscore.datasets import read_dataset

        read = read_dataset(dataset, labels=labels, task=task)
        yield SampleSource(read, read.name, task_of(read.task.kind))
        return
    if labels is not None:
        raise DatasetError(f"`labels` go with samples in memory; `{dataset}` brings its own.")
    path = Path(dataset).expanduser()
    if not path.exists():
        raise DatasetError(f"`{dataset}` does not exist; expected a folder or a file of samples.")
    if path.is_dir():
        with tempfile.TemporaryDirectory() as folder:
            packed = Path(folder, f"{path.resolve().name}.zip")
            _pack(path, packed)
            yield _of_file(packed)
        return
    yield _of_file(path)


@contextlib.contextmanager
def fingerprint_source(fingerprint: Any) -> Iterator[FileSource]:
    """A fingerprint or its file as what is to be sent; a temporary file lives as long as this.

    Raises:
        InputError: There is no such file, or it is no fingerprint.
    """
    from transferscore.distances import load_fingerprint, save_fingerprint

    if isinstance(fingerprint, str | Path):
        load_fingerprint(fingerprint)
        yield _file_source(Path(fingerprint), pb.Dataset.FINGERPRINT)
        return
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "fingerprint.safetensors")
        save_fingerprint(fingerprint, path)
        yield _file_source(path, pb.Dataset.FINGERPRINT)


def _of_file(path: Path) -> FileSource:
    if path.suffix.lower() not in _FORMATS:
        raise DatasetError(
            f"`{path}` cannot be sent to a server; expected a folder of images, or a file "
            f"{', '.join(_FORMATS)}."
        )
    return _file_source(path, _FORMATS[path.suffix.lower()])


def _file_source(path: Path, kind: Any) -> FileSource:
    try:
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise DatasetError(f"`{path}` cannot be read: {error.strerror}.") from error
    return FileSource(path, path.name, kind, f"sha256:{digest}", path.stat().st_size)


def _pack(folder: Path, packed: Path) -> None:
    """The folder as a zip; dates are left out, so that equal folders are equal bytes."""
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_STORED) as archive:
        for file in sorted(path for path in folder.rglob("*") if path.is_file()):
            member = zipfile.ZipInfo(file.relative_to(folder).as_posix(), _EPOCH)
            with file.open("rb") as source, archive.open(member, "w") as target:
                while block := source.read(_BLOCK):
                    target.write(block)


def _content(sample: Any) -> Any:
    from transferscore.datasets import ImageSample
    from transferscore.datasets.audio import AudioSample
    from transferscore.datasets.texts import TextPair, TokenSequence

    if isinstance(sample, str):
        return pb.Sample(text=sample)
    if isinstance(sample, ImageSample):
        return pb.Sample(image=_image_file(sample))
    if isinstance(sample, AudioSample):
        return pb.Sample(audio=pb.Audio(file=sample.content()))
    if isinstance(sample, TextPair):
        return pb.Sample(text_pair=pb.TextPair(first=sample.first, second=sample.second))
    if isinstance(sample, TokenSequence):
        return pb.Sample(tokens=pb.Tokens(words=sample.words))
    if isinstance(sample, np.ndarray | np.generic):
        return pb.Sample(tensor=tensor_of(np.asarray(sample)))
    raise DatasetError(f"Samples of {type(sample).__name__} cannot be sent to a server.")


def _image_file(sample: Any) -> bytes:
    """The image's own file; one that was an array becomes a PNG, which keeps every pixel."""
    content: bytes = sample.content()
    if not content.startswith(b"P6"):
        return content
    stream = io.BytesIO()
    sample.image().save(stream, "PNG")
    return stream.getvalue()


_TYPES: dict[str, Any] = {
    "f2": types_pb2.DATA_TYPE_FLOAT16,
    "f4": types_pb2.DATA_TYPE_FLOAT32,
    "f8": types_pb2.DATA_TYPE_FLOAT64,
    "i8": types_pb2.DATA_TYPE_INT64,
    "i4": types_pb2.DATA_TYPE_INT32,
    "u1": types_pb2.DATA_TYPE_UINT8,
}


def tensor_of(array: Any) -> Any:
    """An array of numbers as a message."""
    array = np.asarray(array)
    if array.dtype.str[1:] not in _TYPES:
        array = array.astype("<f8" if array.dtype.kind == "f" else "<i8")
    array = np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("<"))
    return types_pb2.Tensor(
        data_type=_TYPES[array.dtype.str[1:]], shape=array.shape, data=array.tobytes()
    )


def _label(message: Any, dataset: Any, label: Any) -> None:
    if dataset.task.kind == "classification":
        message.class_name = dataset.class_names[int(label)]
    elif dataset.task.kind == "token_classification":
        message.tags.names.extend(dataset.class_names[int(each)] for each in label)
    else:
        message.numbers.values.extend(np.atleast_1d(label).tolist())
