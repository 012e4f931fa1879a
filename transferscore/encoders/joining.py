"""Encodings of parts of a batch put together again, in the order of the samples."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from transferscore.encoders.encoder import Encoding

__all__ = ["in_order", "joined", "row_counts"]


def joined(parts: Sequence[Encoding]) -> Encoding:
    """One encoding of the samples of several, one after another.

    Logits, layers and words are kept where every part has them.
    """
    if len(parts) == 1:
        return parts[0]
    logits = [part.logits for part in parts if part.logits is not None]
    words = [part.word_mask for part in parts if part.word_mask is not None]
    return Encoding(
        np.concatenate([part.features for part in parts]),
        np.concatenate(logits) if len(logits) == len(parts) else None,
        tuple(np.concatenate(same) for same in zip(*(part.layers for part in parts), strict=True)),
        np.concatenate(words) if len(words) == len(parts) else None,
        sum(part.n_cut for part in parts),
    )


def in_order(encoding: Encoding, order: NDArray[Any], n_words: Sequence[int] = ()) -> Encoding:
    """The encoding with its samples put back in their places.

    Args:
        encoding: Of n samples.
        order: `(n,)` the place that each of them belongs to.
        n_words: Words of each of them, where the rows are words.
    """
    back = np.argsort(order, kind="stable")
    if encoding.word_mask is None:
        rows, word_mask = back, None
    else:
        rows = _runs(row_counts(encoding.word_mask, n_words), back)
        word_mask = encoding.word_mask[_runs(np.asarray(n_words), back)]
    logits = None if encoding.logits is None else encoding.logits[rows]
    layers = tuple(layer[rows] for layer in encoding.layers)
    return Encoding(encoding.features[rows], logits, layers, word_mask, encoding.n_cut)


def row_counts(word_mask: NDArray[np.bool_], n_words: Sequence[int]) -> NDArray[np.int64]:
    """`(n,)` how many rows each of n token sequences of `n_words` words has."""
    ends = np.cumsum(n_words)
    kept = np.concatenate([[0], np.cumsum(word_mask)])
    counts: NDArray[np.int64] = kept[ends] - kept[ends - n_words]
    return counts


def _runs(lengths: NDArray[Any], order: NDArray[Any]) -> NDArray[np.int64]:
    """Positions of runs of these lengths `(n,)`, that follow one another, taken in `order`."""
    starts = np.cumsum(lengths) - lengths
    taken = lengths[order]
    within = np.arange(taken.sum()) - np.repeat(np.cumsum(taken) - taken, taken)
    positions: NDArray[np.int64] = np.repeat(starts[order], taken) + within
    return positions
