"""Running a text model in ONNX so that a text's features do not depend on its neighbours."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from transferscore.encoders.encoder import Encoding
from transferscore.encoders.onnx_session import OnnxSession
from transferscore.encoders.text_units import Ids, TextUnits

__all__ = ["encode_texts"]

_LARGEST_BATCH = 256


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
    distinct = list(dict.fromkeys(ids for text in texts for ids in text))
    position = {ids: row for row, ids in enumerate(distinct)}
    encoding = _encode_distinct(distinct, session, units, name)
    groups = [[position[ids] for ids in text] for text in texts]
    return Encoding(
        _group_means(encoding.features, groups),
        # The classifier of a word model speaks of words; a text has no such classes.
        None if units.by_word or encoding.logits is None else _group_means(encoding.logits, groups),
    )


def _encode_distinct(
    sequences: list[Ids], session: OnnxSession, units: TextUnits, name: str
) -> Encoding:
    parts: list[Encoding] = []
    order: list[int] = []
    for rows in _equal_length_batches(sequences, session.input.shape[0], units):
        ids, mask = units.padded([sequences[row] for row in rows])
        encoding = session.run(ids.astype(session.input.dtype), name, mask)
        parts.append(encoding)
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
