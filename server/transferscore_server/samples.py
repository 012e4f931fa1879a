"""Typed samples: kept as they come, and made into a file that the library reads when they end.

What is kept is a log of length-prefixed messages, so that an upload goes on after any break; what
is made of equal samples is equal byte for byte, so that equal datasets are stored once.
"""

from __future__ import annotations

import contextlib
import io
import json
import struct
import tempfile
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from transferscore.v1 import dataset_service_pb2 as pb
from transferscore_server.blobs.blobs import Blobs
from transferscore_server.errors import exhausted, invalid, precondition
from transferscore_server.store.errors import OffsetError
from transferscore_server.values.tensors import tensor_array

__all__ = ["SampleLog", "write_dataset"]

_PREFIX = struct.Struct("<I")
_EPOCH = (1980, 1, 1, 0, 0, 0)
_MAGIC = {
    b"\x89PNG": ".png",
    b"\xff\xd8\xff": ".jpg",
    b"GIF8": ".gif",
    b"BM": ".bmp",
    b"RIFF": ".webp",
}
_SOUND_MAGIC = {b"RIFF": ".wav", b"fLaC": ".flac", b"OggS": ".ogg"}


@dataclass(slots=True)
class SampleLog:
    """The samples of one upload.

    Attributes:
        blobs: Where their bytes are.
        upload: Name of the upload.
        n_samples: Whole samples that are kept.
        size_bytes: Bytes of these.
    """

    blobs: Blobs
    upload: str
    n_samples: int = 0
    size_bytes: int = 0

    @classmethod
    def open(cls, blobs: Blobs, upload: str) -> SampleLog:
        """The log as it stands; a sample of which only a part was written does not count."""
        log = cls(blobs, upload)
        with blobs.read(upload) as stream:
            for content in _messages(stream):
                log.n_samples += 1
                log.size_bytes += _PREFIX.size + len(content)
        return log

    def append(self, offset: int, samples: Sequence[Any], max_bytes: int) -> None:
        """Keep some samples.

        Raises:
            OffsetError: They do not start where the committed ones end.
            CallError: A sample is not one, or the dataset would be larger than it may be.
        """
        if offset != self.n_samples:
            raise OffsetError(offset, self.n_samples)
        framed = [_framed(sample, offset + i) for i, sample in enumerate(samples)]
        content = b"".join(framed)
        if self.size_bytes + len(content) > max_bytes:
            raise exhausted(
                "TOO_LARGE",
                f"The samples would take more than {max_bytes} bytes (Limits.max_dataset_bytes).",
            )
        if content:
            self.blobs.append(self.upload, self.size_bytes, content)
        self.size_bytes += len(content)
        self.n_samples += len(framed)

    def samples(self) -> Iterator[Any]:
        """The samples in order, one at a time."""
        with self.blobs.read(self.upload) as stream:
            for content in _messages(stream):
                yield pb.Sample.FromString(content)


@contextlib.contextmanager
def write_dataset(log: SampleLog) -> Iterator[tuple[Path, str]]:
    """A temporary file of the samples, and its format.

    Raises:
        CallError: There are no samples, or they are of several kinds.
    """
    first = next(log.samples(), None)
    if first is None:
        raise precondition("UPLOAD_INCOMPLETE", "No sample is committed; send some.", committed="0")
    kind = first.WhichOneof("content")
    write, suffix = _WRITERS[kind]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, f"samples.{suffix}")
        with path.open("wb") as file:
            write(_of_one_kind(log, kind), file)
        yield path, suffix


def _framed(sample: Any, position: int) -> bytes:
    name = f"samples[{position}]"
    if sample.WhichOneof("content") is None:
        raise invalid(f"{name}.content", "must be given: image, text, tokens, audio or tensor.")
    if sample.WhichOneof("content") == "tensor":
        tensor_array(sample.tensor, f"{name}.tensor")
    if sample.WhichOneof("content") == "audio":
        _check_audio(sample.audio, f"{name}.audio")
    if sample.WhichOneof("label") == "class_id" and sample.class_id < 0:
        raise invalid(f"{name}.class_id", f"must be at least 0; got {sample.class_id}.")
    content: bytes = sample.SerializeToString(deterministic=True)
    return _PREFIX.pack(len(content)) + content


def _check_audio(audio: Any, name: str) -> None:
    if audio.WhichOneof("source") is None:
        raise invalid(f"{name}.source", "must be given: `file` or `samples`.")
    if audio.WhichOneof("source") == "samples":
        if not 1 <= audio.sample_rate <= 768_000:
            raise invalid(
                f"{name}.sample_rate", f"must be 1 to 768000 Hz; got {audio.sample_rate}."
            )
        if len(audio.samples) % 4:
            raise invalid(f"{name}.samples", "must be float32: a multiple of 4 bytes.")


def _messages(stream: BinaryIO) -> Iterator[bytes]:
    """The whole messages of a log; what a break cut off at its end is left out."""
    while len(prefix := stream.read(_PREFIX.size)) == _PREFIX.size:
        (length,) = _PREFIX.unpack(prefix)
        content = stream.read(length)
        if len(content) < length:
            return
        yield content


def _of_one_kind(log: SampleLog, kind: str) -> Iterator[tuple[int, Any]]:
    for position, sample in enumerate(log.samples()):
        if sample.WhichOneof("content") != kind:
            raise precondition(
                "MIXED_SAMPLES",
                f"All samples must hold the same kind of content, {kind}, as the first does; "
                f"number {position} holds {sample.WhichOneof('content')}.",
            )
        yield position, sample


def _label(sample: Any) -> Any:
    """The label as JSON has it; None where there is none."""
    kind = sample.WhichOneof("label")
    if kind is None:
        return None
    if kind == "numbers":
        values = list(sample.numbers.values)
        return values[0] if len(values) == 1 else values
    if kind in {"class_names", "tags"}:
        return list(getattr(sample, kind).names)
    return getattr(sample, kind)


def _write_lines(samples: Iterator[tuple[int, Any]], file: BinaryIO) -> None:
    for _, sample in samples:
        row = _text_columns(sample) | ({"split": sample.split} if sample.split else {})
        file.write(json.dumps(row, ensure_ascii=False).encode("utf-8") + b"\n")


def _text_columns(sample: Any) -> dict[str, Any]:
    kind = sample.WhichOneof("content")
    if kind == "text":
        return {"text": sample.text, "label": _label(sample)}
    if kind == "text_pair":
        pair = sample.text_pair
        return {"sentence1": pair.first, "sentence2": pair.second, "label": _label(sample)}
    return {"tokens": list(sample.tokens.words), "tags": _label(sample) or []}


def _write_images(samples: Iterator[tuple[int, Any]], file: BinaryIO) -> None:
    _write_zip(((s, s.image, _suffix(s.image, _MAGIC, ".png")) for _, s in samples), file)


def _write_sounds(samples: Iterator[tuple[int, Any]], file: BinaryIO) -> None:
    _write_zip(((s, *_sound(s.audio)) for _, s in samples), file)


def _write_zip(members: Iterator[tuple[Any, bytes, str]], file: BinaryIO) -> None:
    """Members named by number, and an index; every date the same, so that equal bytes come out."""
    import csv

    index = io.StringIO()
    table = csv.writer(index, lineterminator="\n")
    rows: list[tuple[str, str, str]] = []
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
        for number, (sample, content, suffix) in enumerate(members):
            name = f"{number:08d}{suffix}"
            archive.writestr(zipfile.ZipInfo(name, _EPOCH), content)
            rows.append((name, _cell(_label(sample)), sample.split))
        has_splits = any(split for _, _, split in rows)
        table.writerow(["file", "label", "split"] if has_splits else ["file", "label"])
        table.writerows(rows if has_splits else [row[:2] for row in rows])
        archive.writestr(zipfile.ZipInfo("index.csv", _EPOCH), index.getvalue())


def _cell(label: Any) -> str:
    """A label in a table's cell; several are JSON."""
    if label is None:
        return ""
    return json.dumps(label) if isinstance(label, list) else str(label)


def _suffix(content: bytes, known: dict[bytes, str], default: str) -> str:
    return next((suffix for magic, suffix in known.items() if content.startswith(magic)), default)


def _sound(audio: Any) -> tuple[bytes, str]:
    if audio.WhichOneof("source") == "file":
        return audio.file, _suffix(audio.file, _SOUND_MAGIC, ".mp3")
    return _wave(audio.samples, audio.sample_rate), ".wav"


def _wave(samples: bytes, rate: int) -> bytes:
    """Mono float32 samples as a WAV file (format 3, IEEE float)."""
    form = struct.pack("<HHIIHH", 3, 1, rate, rate * 4, 4, 32)
    body = b"WAVEfmt " + struct.pack("<I", len(form)) + form
    body += b"data" + struct.pack("<I", len(samples)) + samples
    return b"RIFF" + struct.pack("<I", len(body)) + body


def _write_arrays(samples: Iterator[tuple[int, Any]], file: BinaryIO) -> None:
    arrays: list[NDArray[Any]] = []
    labels: list[Any] = []
    splits: list[str] = []
    for position, sample in samples:
        array = tensor_array(sample.tensor, f"samples[{position}].tensor")
        if arrays and array.shape != arrays[0].shape:
            raise precondition(
                "MIXED_SAMPLES",
                f"All tensors must have the shape of the first, {arrays[0].shape}; "
                f"number {position} has {array.shape}.",
            )
        label = _label(sample)
        if label is None:
            # An array of labels has no gaps.
            raise precondition("NO_LABEL", f"Sample {position} has no label; tensors need one.")
        arrays.append(array)
        labels.append(label)
        splits.append(sample.split)
    content = {"features": np.stack(arrays), "labels": _label_array(labels)}
    if any(splits):
        content["split"] = np.array(splits)
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
        for name, values in content.items():
            member = io.BytesIO()
            np.lib.format.write_array(member, values, allow_pickle=False)
            archive.writestr(zipfile.ZipInfo(f"{name}.npy", _EPOCH), member.getvalue())


def _label_array(labels: list[Any]) -> Any:
    """Labels as an array; sets of names as zeros and ones, the names in order."""
    if not isinstance(labels[0], list) or not all(isinstance(n, str) for n in labels[0]):
        try:
            return np.array(labels)
        except ValueError:
            raise precondition("MIXED_LABELS", "All labels must be of one kind and size.") from None
    names = sorted({name for label in labels for name in label})
    return np.array([[float(name in label) for name in names] for label in labels])


_WRITERS: dict[str, Any] = {
    "image": (_write_images, "zip"),
    "audio": (_write_sounds, "zip"),
    "text": (_write_lines, "jsonl"),
    "text_pair": (_write_lines, "jsonl"),
    "tokens": (_write_lines, "jsonl"),
    "tensor": (_write_arrays, "npz"),
}
