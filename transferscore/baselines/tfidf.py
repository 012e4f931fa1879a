"""Bag of words: which words and pairs of words a text has, the rarer the heavier."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from transferscore.baselines.reduction import reduction
from transferscore.datasets import TextPair

__all__ = ["bag_of_words", "pair_features"]

_WIDTH, _COLUMNS = 512, 2**18
_A_TOKEN = r"(?u)\b\w+\b|[^\w\s]"  # one letter is a word, and punctuation tells too
Library = Any  # a transformer of scikit-learn, or a sparse matrix of scipy


def bag_of_words(texts: Sequence[str]) -> Callable[[Sequence[str]], NDArray[np.float32]]:
    """TF-IDF of words and pairs of words, as dense columns, fitted to `texts`.

    Returns:
        A function from b texts to `(b, d)`; d is at most the number of texts, 512 beyond 2,000.
    """
    weights = _weights("word", (1, 2)).fit(texts)
    reduced = reduction(weights.transform(texts), _WIDTH)
    return lambda some: reduced(weights.transform(some)).astype(np.float32)


def pair_features(
    pairs: Sequence[TextPair],
) -> Callable[[Sequence[TextPair]], NDArray[np.float32]]:
    """How alike two texts are, by words, by pairs of words, and by letters.

    Nothing but the rarity of terms is fitted. Directions fitted to a few hundred pairs would show
    these pairs larger than new ones, and so held-out pairs easier.

    Returns:
        A function from b pairs to `(b, 9)`: for each of three kinds of terms the cosine of their
        TF-IDF and the share of terms in common, then the lengths in words and their difference.
    """
    texts = [text for pair in pairs for text in (pair.first, pair.second)]
    kinds = [("word", (1, 1)), ("word", (2, 2)), ("char_wb", (2, 4))]
    weights = [_weights(analyzer, span).fit(texts) for analyzer, span in kinds]

    def transform(some: Sequence[TextPair]) -> NDArray[np.float32]:
        sides = [pair.first for pair in some], [pair.second for pair in some]
        columns = [_alike(*(each.transform(side) for side in sides)) for each in weights]
        lengths = [np.log1p([len(text.split()) for text in side]) for side in sides]
        columns += [np.stack([*lengths, np.abs(lengths[0] - lengths[1])], axis=1)]
        return np.hstack(columns).astype(np.float32)

    return transform


def _weights(analyzer: str, span: tuple[int, int]) -> Library:
    """TF-IDF of runs of `span` words or letters.

    Terms are hashed, not listed: were only the terms of some texts known, these would show all
    their terms and a new text would not, and held-out rows would be easier than new ones.
    """
    from sklearn.feature_extraction.text import HashingVectorizer, TfidfTransformer
    from sklearn.pipeline import make_pipeline

    counter = HashingVectorizer(
        n_features=_COLUMNS,
        analyzer=analyzer,
        ngram_range=span,
        token_pattern=_A_TOKEN if analyzer == "word" else None,
        norm=None,
        alternate_sign=False,
    )
    return make_pipeline(counter, TfidfTransformer(sublinear_tf=True))


def _alike(first: Library, second: Library) -> NDArray[np.float64]:
    """Cosine, and terms in both as a share of the terms in either, `(b, 2)`."""
    cosine = np.asarray(first.multiply(second).sum(axis=1)).ravel()
    shown = [(part > 0).astype(np.float64) for part in (first, second)]
    both = np.asarray(shown[0].multiply(shown[1]).sum(axis=1)).ravel()
    either = sum(np.asarray(part.sum(axis=1)).ravel() for part in shown) - both
    return np.stack([cosine, both / np.maximum(either, 1.0)], axis=1)
