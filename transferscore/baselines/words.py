"""Word features: what a tagger without any training on text would look at."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from transferscore.baselines.reduction import reduction
from transferscore.datasets import TokenSequence

__all__ = ["word_features"]

_WIDTH = 200
_COLUMNS = 2**16  # hashed: the vocabulary of a large text need not be kept


def word_features(
    sequences: Sequence[TokenSequence],
) -> Callable[[Sequence[TokenSequence]], NDArray[np.float32]]:
    """The word, its ending and shape, and its neighbours, hashed, as dense columns.

    Returns:
        A function from b sequences to features of their words, one after another, `(n_words, d)`.
    """
    from sklearn.feature_extraction import FeatureHasher

    hasher = FeatureHasher(_COLUMNS, input_type="string", alternate_sign=False)
    reduced = reduction(hasher.transform(_all_traits(sequences)), _WIDTH)
    return lambda some: reduced(hasher.transform(_all_traits(some))).astype(np.float32)


def _all_traits(sequences: Sequence[TokenSequence]) -> Iterator[list[str]]:
    for sequence in sequences:
        padded = ["", *sequence.words, ""]
        for position in range(1, len(padded) - 1):
            yield _traits(*padded[position - 1 : position + 2])


def _traits(before: str, word: str, after: str) -> list[str]:
    lower = word.lower()
    return [
        f"word {lower}",
        f"ending {lower[-3:]}",
        f"beginning {lower[:2]}",
        f"shape {_shape(word)}",
        f"before {before.lower()}",
        f"after {after.lower()}",
        f"shapes {_shape(before)} {_shape(word)} {_shape(after)}",
    ]


def _shape(word: str) -> str:
    """Kinds of characters in a row, each kind once: "Xx", "d.d", "@x"."""
    kinds = [_kind(character) for character in word]
    return "".join(k for i, k in enumerate(kinds) if i == 0 or k != kinds[i - 1])


def _kind(character: str) -> str:
    if character.isdigit():
        return "d"
    if character.isalpha():
        return "X" if character.isupper() else "x"
    return character
