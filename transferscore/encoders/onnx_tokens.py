"""Token ids for an ONNX graph by a `tokenizer.json` of the tokenizers library beside it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from transferscore.encoders.hf_inputs import HfBatch
from transferscore.encoders.samples import Modality
from transferscore.errors import EncoderError, MissingExtraError

__all__ = ["TokenReader", "read_tokenizer", "tokenizer_file"]

Library = Any  # a `tokenizers.Tokenizer`

_LONGEST_UNSTATED = 512


class TokenReader:
    """A `tokenizers.Tokenizer` as the graph it lies beside needs it.

    Args:
        tokenizer: Neither pads nor cuts yet.
        limit: Most tokens of a sample.
        pad_id: Id that fills up.
    """

    def __init__(self, tokenizer: Library, limit: int, pad_id: int) -> None:
        self._tokenizer = tokenizer
        self._pad_id = pad_id
        tokenizer.no_padding()
        tokenizer.enable_truncation(limit)

    def batch(self, samples: Sequence[Any], modality: Modality) -> HfBatch:
        """`input_ids`, `attention_mask` and `token_type_ids` `(b, t)`, padded on the right."""
        given = [_input_of(sample, modality) for sample in samples]
        encodings = self._tokenizer.encode_batch(given, is_pretokenized=modality == "tokens")
        longest = max(1, *(len(encoding.ids) for encoding in encodings))
        ids = np.full((len(samples), longest), self._pad_id, dtype=np.int64)
        mask, kinds = np.zeros_like(ids), np.zeros_like(ids)
        words = np.full_like(ids, -1)
        for row, encoding in enumerate(encodings):
            length = len(encoding.ids)
            ids[row, :length] = encoding.ids
            mask[row, : max(1, length)] = 1  # a text of no tokens is one padding token that counts
            kinds[row, :length] = encoding.type_ids
            words[row, :length] = [-1 if word is None else word for word in encoding.word_ids]
        inputs = {"input_ids": ids, "attention_mask": mask, "token_type_ids": kinds}
        n_cut = sum(bool(encoding.overflowing) for encoding in encodings)
        if modality != "tokens":
            return HfBatch(modality, inputs, mask.sum(1), n_cut=n_cut)
        n_words = tuple(len(sample.words) for sample in samples)
        return HfBatch(modality, inputs, mask.sum(1), words, n_words, n_cut)


def tokenizer_file(model: Path) -> Path | None:
    """The `<stem>.tokenizer.json` or `tokenizer.json` beside a model."""
    places = (model.with_suffix(".tokenizer.json"), model.with_name("tokenizer.json"))
    return next((place for place in places if place.is_file()), None)


def read_tokenizer(path: Path, name: str) -> TokenReader | None:
    """The reader of a `tokenizer.json`; None if the file is not of the tokenizers library.

    Texts are cut to what the file says, else the `tokenizer_config.json` beside it, else 512.

    Raises:
        EncoderError: The file cannot be read.
        MissingExtraError: tokenizers is not installed.
    """
    try:
        described = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise EncoderError(f"`{path}` beside `{name}` must be JSON: {error}.") from error
    if not isinstance(described, dict) or "model" not in described:
        return None
    try:
        from tokenizers import Tokenizer
    except ImportError as error:
        raise MissingExtraError.of("tokenizers", "hf", f"The tokenizer of `{name}`") from error
    try:
        tokenizer = Tokenizer.from_file(str(path))
    except Exception as error:  # tokenizers raises plain `Exception`
        raise EncoderError(
            f"`{path}` beside `{name}` cannot be read as a tokenizer: {error}."
        ) from error
    return TokenReader(tokenizer, _limit(described, path), _pad_id(described, tokenizer))


def _limit(described: dict[str, Any], path: Path) -> int:
    config = path.with_name("tokenizer_config.json")
    stated = json.loads(config.read_text(encoding="utf-8")) if config.is_file() else {}
    limits = ((described.get("truncation") or {}).get("max_length"), stated.get("model_max_length"))
    return min((int(n) for n in limits if n and 0 < n < 10**9), default=_LONGEST_UNSTATED)


def _pad_id(described: dict[str, Any], tokenizer: Library) -> int:
    padding = described.get("padding") or {}
    ids = (tokenizer.token_to_id(token) for token in ("[PAD]", "<pad>", "<|endoftext|>"))
    return int(padding.get("pad_id", next((i for i in ids if i is not None), 0)))


def _input_of(sample: Any, modality: Modality) -> Any:
    if modality == "text_pair":
        return (sample.first, sample.second)
    return list(sample.words) if modality == "tokens" else sample
