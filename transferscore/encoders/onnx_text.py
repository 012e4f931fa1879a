"""Running a text model in ONNX so that a text's features do not depend on its neighbours."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from transferscore.encoders.encoder import Encoding
from transferscore.encoders.joining import in_order, joined
from transferscore.encoders.onnx_session import OnnxSession
from transferscore.encoders.pairs import texts_of_pairs
from transferscore.encoders.samples import Modality
from transferscore.encoders.text_units import Ids, TextUnits

__all__ = ["UnitBatch", "encode_texts", "encode_words", "unit_batch"]

_LARGEST_BATCH = 256


@dataclass(frozen=True, slots=True)
class UnitBatch:
    """Texts as id sequences.

    Attributes:
        modality: What they were made from. Of pairs, all first texts come before all second ones.
        texts: Texts, each one sequence or one for each word.
        owners: Of token sequences to a character model, which word each id is of.
        n_words: Words of each token sequence.
        n_cut: How many of the texts lost their beginnings or ends.
    """

    modality: Modality
    texts: list[list[Ids]]
    owners: tuple[Ids, ...] = ()
    n_words: tuple[int, ...] = ()
    n_cut: int = 0

    def __len__(self) -> int:
        return len(self.texts) // (2 if self.modality == "text_pair" else 1)


def unit_batch(samples: Sequence[Any], modality: Modality, units: TextUnits) -> UnitBatch:
    """The ids of texts, of both texts of pairs, or of words."""
    if modality == "tokens":
        n_words = tuple(len(sample.words) for sample in samples)
        if units.by_word:
            each = [[units.sequences(word)[0] for word in sample.words] for sample in samples]
            return UnitBatch(modality, each, (), n_words)
        pairs = [units.with_words(sample.words) for sample in samples]
        return UnitBatch(modality, [[ids] for ids, _ in pairs], tuple(o for _, o in pairs), n_words)
    texts = texts_of_pairs(samples) if modality == "text_pair" else samples
    n_cut = sum(units.cuts(text) for text in texts)
    return UnitBatch(modality, [units.sequences(text) for text in texts], n_cut=n_cut)


def encode_texts(
    texts: Sequence[list[Ids]], session: OnnxSession, units: TextUnits, name: str
) -> Encoding:
    """Features of texts given as id sequences; of several sequences, their mean.

    These models know no mask, so padding would change their numbers: only sequences of equal
    length run together. A sequence that occurs twice (a word of two texts) runs once.

    Args:
        texts: b texts, each one sequence or one for each word.
        session: The loaded model.
        units: How text became ids, and is padded.
        name: What the report calls the model.
    """
    encoding, groups = _encode_groups(texts, session, units, name)
    return Encoding(
        _group_means(encoding.features, groups),
        # The classifier of a word model speaks of words; a text has no such classes.
        None if units.by_word or encoding.logits is None else _group_means(encoding.logits, groups),
    )


def encode_words(batch: UnitBatch, session: OnnxSession, units: TextUnits, name: str) -> Encoding:
    """Features of each word of token sequences.

    A word model reads each by itself. Of a character model it is what the hidden states of the
    word's characters are pooled to, read in the whole text.
    """
    if units.by_word:
        encoding, groups = _encode_groups(batch.texts, session, units, name)
        rows = [row for group in groups for row in group]
        return Encoding(encoding.features[rows], word_mask=np.ones(len(rows), dtype=np.bool_))
    sequences = [ids for (ids,) in batch.texts]
    batches = _equal_length_batches(sequences, session.input.shape[0], units)
    parts = [_words_of_part(batch, sequences, rows, session, units, name) for rows in batches]
    order = np.concatenate([np.array(list(dict.fromkeys(rows))) for rows in batches])
    return in_order(joined(parts), order, [batch.n_words[row] for row in order])


def _words_of_part(
    batch: UnitBatch,
    sequences: list[Ids],
    rows: list[int],
    session: OnnxSession,
    units: TextUnits,
    name: str,
) -> Encoding:
    ids, mask = units.padded([sequences[row] for row in rows])
    words = np.full(ids.shape, -1, dtype=np.int64)
    words[mask] = np.concatenate([batch.owners[row] for row in rows])
    n_real = len(dict.fromkeys(rows))  # the rest fills up a fixed batch
    words[n_real:] = -1
    features = session.run_words({session.input.name: ids.astype(session.input.dtype)}, words, name)
    masks = [np.isin(np.arange(batch.n_words[row]), w) for row, w in zip(rows, words, strict=True)]
    return Encoding(features, word_mask=np.concatenate(masks[:n_real]))


def _encode_groups(
    texts: Sequence[list[Ids]], session: OnnxSession, units: TextUnits, name: str
) -> tuple[Encoding, list[list[int]]]:
    """Features of the distinct sequences, and which of them each text consists of."""
    distinct = list(dict.fromkeys(ids for text in texts for ids in text))
    position = {ids: row for row, ids in enumerate(distinct)}
    encoding = _encode_distinct(distinct, session, units, name)
    return encoding, [[position[ids] for ids in text] for text in texts]


def _encode_distinct(
    sequences: list[Ids], session: OnnxSession, units: TextUnits, name: str
) -> Encoding:
    parts: list[Encoding] = []
    order: list[int] = []
    for rows in _equal_length_batches(sequences, session.input.shape[0], units):
        ids, mask = units.padded([sequences[row] for row in rows])
        feeds = {session.input.name: ids.astype(session.input.dtype)}
        parts.append(session.run(feeds, name, mask))
        order.extend(rows)
    back = np.unique(order, return_index=True)[1]  # the first place of each row
    logits = [part.logits for part in parts if part.logits is not None]
    return Encoding(
        np.concatenate([part.features for part in parts])[back],
        np.concatenate(logits)[back] if logits else None,
    )


def _equal_length_batches(
    sequences: list[Ids], fixed: int | None, units: TextUnits
) -> list[list[int]]:
    """Rows that run together. A fixed batch size is filled up with the batch's last row."""
    by_length: dict[int, list[int]] = {}
    for row, ids in enumerate(sequences):
        by_length.setdefault(units.padded_length(ids), []).append(row)
    size = fixed or _LARGEST_BATCH
    batches = [
        rows[start : start + size]
        for rows in by_length.values()
        for start in range(0, len(rows), size)
    ]
    return [rows + rows[-1:] * ((fixed or len(rows)) - len(rows)) for rows in batches]


def _group_means(values: NDArray[np.float32], groups: list[list[int]]) -> NDArray[np.float32]:
    """Mean over the rows of each group, added up in the order of the text in any batch."""
    return np.stack([values[rows].mean(0) for rows in groups])
