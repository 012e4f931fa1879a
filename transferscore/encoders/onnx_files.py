"""The files that an ONNX model consists of."""

from __future__ import annotations

import mmap
import re
from pathlib import Path

__all__ = ["onnx_files"]

# How protobuf writes the entry "location" of a tensor that is stored in another file: the key,
# then tag and length (seven bits a byte, the last below 128) of the value, a path relative to the
# model.
_LOCATION = re.compile(rb"\x0a\x08location\x12([\x80-\xff]?[\x01-\x7f])")


def onnx_files(model: Path) -> list[Path]:
    """The model, its tokenizer if it has one, and the files of its external weights.

    The bytes are searched without parsing them, so that no package is needed and a large model
    costs no memory.
    """
    names = ("tokenizer.json", "tokenizer_config.json")
    tokenizer = {model.with_suffix(".tokenizer.json"), *(model.with_name(n) for n in names)}
    beside = {*tokenizer, *_external_files(model)}
    return [model, *sorted(file for file in beside if file.is_file())]


def _external_files(model: Path) -> set[Path]:
    if model.stat().st_size == 0:
        return set()
    with (
        model.open("rb") as file,
        mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content,
    ):
        places = {
            content[match.end() : match.end() + _length(match[1])]
            for match in _LOCATION.finditer(content)
        }
    names = (place.decode("utf-8", "replace") for place in places)
    return {model.parent / name for name in names if "\0" not in name}


def _length(digits: bytes) -> int:
    """A number as protobuf writes it, seven bits a byte, the lowest first."""
    return sum((digit & 0x7F) << (7 * place) for place, digit in enumerate(digits))
