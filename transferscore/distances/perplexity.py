"""Perplexity distance: how much of the order of a text a language model does not foresee.

No source data: a language model carries what it has read. The null is the same tokens in random
order, which holds what the words are and not what the language is.

The levels were set on three GPT-2s of two layers trained on 1,400 headlines of AG News, with a
vocabulary of 2,000 pieces (`tests/benchmarks/bench_perplexity.py`). Values on texts not seen:

============================ =============
headlines, of the test split 0.60 – 0.61
film reviews, questions      0.74 – 0.76
messages, tweets             0.79 – 0.81
Python code                  0.84 – 0.86
German                       0.88
untrained model, any text    1.00
============================ =============

The same data set the thresholds, so this is a description, not a test; no large model and no
masked model of real text was among them.

The value is of the model and the texts together: a large model foresees more of any text than a
small one, and one that was hardly trained foresees little of its own source.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from transferscore.distances.info import SourceFreeInfo
from transferscore.distances.level import LEVELS, Level
from transferscore.errors import InputError

__all__ = ["INFO", "PERPLEXITY_BIBTEX", "PerplexityDistance", "TextLosses", "perplexity_distance"]

_THRESHOLDS = (0.65, 0.80, 0.95)

PERPLEXITY_BIBTEX = """@inproceedings{salazar2020masked,
  title = {Masked Language Model Scoring},
  author = {Salazar, Julian and Liang, Davis and Nguyen, Toan Q. and Kirchhoff, Katrin},
  booktitle = {Proceedings of the 58th Annual Meeting of the Association for Computational
               Linguistics},
  year = {2020}
}"""


INFO = SourceFreeInfo(
    name="perplexity",
    tells="How little a language model foresees of the texts, beside the same tokens out of order.",
    needs="texts, and a transformers model with the weights of its language-model head",
    reads="the first 128 tokens of at most 64 texts",
    range="[0, inf), 1 where the order of the tokens tells the model nothing",
    null="the same tokens permuted within each text",
    paper="Salazar et al. (2020), Masked language model scoring, ACL",
    bibtex=PERPLEXITY_BIBTEX,
)


class TextLosses(Protocol):
    """Negative log-likelihood of n texts under a language model, in any one unit."""

    @property
    def text(self) -> NDArray[Any]:
        """`(n,)` sum over a text's tokens."""
        ...

    @property
    def permuted(self) -> NDArray[Any]:
        """`(n,)` sum over the same tokens in random order."""
        ...

    @property
    def n_tokens(self) -> NDArray[Any]:
        """`(n,)` tokens that were summed over."""
        ...


@dataclass(frozen=True, slots=True)
class PerplexityDistance:
    """How far texts lie from what a language model has read.

    Attributes:
        value: Loss of a token of the texts over that of the same token out of order.
        level: In one word.
        perplexity: Of the texts, pseudo-perplexity if the model is a masked one.
        permuted_perplexity: Of the same tokens in random order.
        n_texts: Texts that were read.
        n_tokens: Tokens that were foreseen or not.
    """

    value: float
    level: Level
    perplexity: float
    permuted_perplexity: float
    n_texts: int
    n_tokens: int


def perplexity_distance(losses: TextLosses) -> PerplexityDistance:
    r"""Tell how far texts lie from what a language model has read.

    .. math:: d = \frac{\sum_i -\log p(t_i \mid \text{its context})}
                       {\sum_i -\log p(t_i \mid \text{the same tokens permuted})}

    A ratio of log-perplexities, free of the unit of the logarithm. Of one tokenizer, comparable
    between models; less so between tokenizers, as characters out of order surprise more than words.

    Args:
        losses: As `transferscore.encoders.token_losses` gives them.

    Returns:
        The distance: 0 where every token is foreseen, 1 where the order of the tokens tells the
        model nothing, which is what an untrained model gives. Low below 0.65, moderate below
        0.80, high below 0.95, very high above.

    Raises:
        InputError: There is no token, or a loss is not finite or is negative.

    References:
        Salazar et al. (2020), Masked language model scoring, ACL.
    """
    n_tokens = int(np.sum(losses.n_tokens))
    text, permuted = float(np.sum(losses.text)), float(np.sum(losses.permuted))
    _check(text, permuted, n_tokens)
    value = text / permuted
    level = LEVELS[int(np.searchsorted(_THRESHOLDS, value, side="right"))]
    return PerplexityDistance(
        value,
        level,
        _perplexity(text, n_tokens),
        _perplexity(permuted, n_tokens),
        len(losses.n_tokens),
        n_tokens,
    )


def _perplexity(loss: float, n_tokens: int) -> float:
    with np.errstate(over="ignore"):
        return float(np.exp(np.float64(loss / n_tokens)))


def _check(text: float, permuted: float, n_tokens: int) -> None:
    if n_tokens < 1:
        raise InputError("`losses` must be of at least one token; got none.")
    if not (np.isfinite(text) and np.isfinite(permuted)) or text < 0.0 or permuted <= 0.0:
        raise InputError(
            f"`losses` must be finite and at least 0, and above 0 for the permuted texts; they sum "
            f"to {text} and {permuted}. Check that the model's weights are those of its config."
        )
