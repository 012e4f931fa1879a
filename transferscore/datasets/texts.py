"""Samples made of several texts: pairs, and words that each have a label."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["TextPair", "TokenSequence"]


@dataclass(frozen=True, slots=True)
class TextPair:
    """Two texts that have one label together: sentence and paraphrase, premise and hypothesis.

    Attributes:
        first: The one that the tokenizer gets first.
        second: The other.
    """

    first: str
    second: str


@dataclass(frozen=True, slots=True)
class TokenSequence:
    """A sentence cut into words, each of which has a label of its own.

    Attributes:
        words: The words, in their order.
    """

    words: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.words)
