"""Texts as ids, by the `<stem>.tokenizer.json` beside a character model in ONNX."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from transferscore.errors import EncoderError

__all__ = ["TextUnits", "read_text_units"]

Ids = tuple[int, ...]
_LONGEST_UNSTATED = 4096


@dataclass(frozen=True, slots=True)
class TextUnits:
    """How a character model reads text.

    Attributes:
        vocabulary: Id of each character.
        by_word: Each word is encoded by itself, and a text is the mean over its words.
        lower: Text is put in lower case first.
        unknown_id: Id of a character outside the vocabulary; None drops it.
        pad_id: Id that fills up.
        pad_left: Whether filling comes before the text.
        length: The one length that the model takes; None for any.
        max_length: Longer texts are cut to this; None is 4096 characters, because a network that
            goes from one to the next needs seconds for more.
        keep_last: Whether the end of a long text is kept rather than the beginning.
    """

    vocabulary: Mapping[str, int]
    by_word: bool
    lower: bool
    unknown_id: int | None
    pad_id: int
    pad_left: bool
    length: int | None
    max_length: int | None
    keep_last: bool

    def sequences(self, text: str) -> list[Ids]:
        """The id sequences of a text: one, or one for each of its words. None is empty."""
        pieces = (text.split() or [""]) if self.by_word else [text]
        return [self._ids(piece) for piece in pieces]

    def cuts(self, text: str) -> bool:
        """Whether a text is longer than the model reads."""
        longest = max(map(len, text.split()), default=0) if self.by_word else len(text)
        return longest > self._limit() and any(
            len(self._known(piece)) > self._limit()
            for piece in (text.split() if self.by_word else [text])
        )

    def with_words(self, words: Sequence[str]) -> tuple[Ids, Ids]:
        """The ids of words with spaces between them, and which word each is of (-1: a space)."""
        ids: list[int] = []
        owners: list[int] = []
        for position, word in enumerate(words):
            for piece, owner in ((" " if position else "", -1), (word, position)):
                found = self._known(piece)
                ids += found
                owners += [owner] * len(found)
        if not ids:
            return (self.pad_id,), (-1,)
        return self._cut(tuple(ids)), self._cut(tuple(owners))

    def padded_length(self, ids: Ids) -> int:
        """How long the model's input for these ids is; equal lengths share a batch."""
        return self.length or len(ids)

    def padded(self, sequences: list[Ids]) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
        """`(n, t)` ids of sequences of one padded length, and where they are text."""
        length = self.padded_length(sequences[0])
        ids = np.full((len(sequences), length), self.pad_id, dtype=np.int64)
        mask = np.zeros(ids.shape, dtype=np.bool_)
        for row, sequence in enumerate(sequences):
            start = length - len(sequence) if self.pad_left else 0
            ids[row, start : start + len(sequence)] = sequence
            mask[row, start : start + len(sequence)] = True
        return ids, mask

    def _ids(self, piece: str) -> Ids:
        return self._cut(tuple(self._known(piece))) or (self.pad_id,)

    def _known(self, piece: str) -> list[int]:
        piece = piece.lower() if self.lower else piece
        found = (self.vocabulary.get(character, self.unknown_id) for character in piece)
        return [number for number in found if number is not None]

    def _limit(self) -> int:
        return self.length or self.max_length or _LONGEST_UNSTATED

    def _cut(self, ids: Ids) -> Ids:
        limit = self._limit()
        if len(ids) <= limit:
            return ids
        return ids[-limit:] if self.keep_last else ids[:limit]


def read_text_units(model: Path, length: int | None, name: str) -> TextUnits:
    """The `<stem>.tokenizer.json` beside the model file.

    Args:
        model: The ONNX file.
        length: Length of the model's input, where the graph fixes it.
        name: What the report calls the model.

    Raises:
        EncoderError: There is no such file, or it describes no character model.
    """
    path = model.with_suffix(".tokenizer.json")
    if not path.is_file():
        raise EncoderError(
            f"`{name}` takes token ids, and there is no `{path.name}` beside it to say how text "
            f"becomes ids. Put it there, or use the model's `hf:` folder."
        )
    try:
        return _text_units(json.loads(path.read_text(encoding="utf-8")), length)
    except (KeyError, TypeError, ValueError) as error:
        raise EncoderError(
            f"`{path}` must be JSON with `unit` (character or word), `vocab` and `pad_id`: "
            f"{error!r}."
        ) from error


def _text_units(described: Mapping[str, Any], length: int | None) -> TextUnits:
    unit = described["unit"].partition(":")[0].strip()
    if unit not in ("character", "word"):
        raise ValueError(f"unknown unit {unit!r}")
    drops = described.get("unknown") == "drop"
    padding = described.get("pad", "left")
    exact = re.search(r"exactly (\d+)", padding)
    return TextUnits(
        vocabulary={str(key): int(value) for key, value in described["vocab"].items()},
        by_word=unit == "word",
        lower=bool(described.get("lower", False)),
        unknown_id=None if drops else int(described["unknown_id"]),
        pad_id=int(described["pad_id"]),
        pad_left=not padding.startswith("right"),
        length=length or (int(exact[1]) if exact else None),
        max_length=described.get("max_len"),
        keep_last="last" in described.get("truncate", ""),
    )
