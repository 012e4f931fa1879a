"""How well a language model foresees the tokens of texts, and the same tokens in another order."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from transferscore.encoders.encoder import Encoder, Sample
from transferscore.encoders.hf_inputs import HfBatch
from transferscore.encoders.hf_language import HeadKind, HfLanguageModel
from transferscore.encoders.loading import explained
from transferscore.encoders.renamed import unwrapped

__all__ = ["LanguageEncoder", "TokenLosses", "token_losses"]

_MOST_TEXTS, _MOST_TOKENS, _LEAST_TOKENS = 64, 128, 4
_MASKED_SHARE, _MASKED_PASSES = 0.15, 3
# Logits of one batch, in numbers: 128 MB of float32.
_MOST_LOGITS = 2**25
_NEVER = -1


@runtime_checkable
class LanguageEncoder(Protocol):
    """An encoder whose model may have a language-model head."""

    def language_model(self) -> HfLanguageModel | None:
        """The model with that head, None without one."""
        ...


@dataclass(frozen=True, slots=True)
class TokenLosses:
    """Negative log-likelihood of n texts, in nats, and of their tokens in random order.

    Attributes:
        kind: "causal": of each token after those before it; "masked": of each masked token among
            all that are not.
        text: `(n,)` sum over a text's tokens.
        permuted: `(n,)` sum over the same tokens, in a text whose tokens were permuted.
        n_tokens: `(n,)` how many tokens that are.
    """

    kind: HeadKind
    text: NDArray[np.float64]
    permuted: NDArray[np.float64]
    n_tokens: NDArray[np.int64]


def token_losses(encoder: Encoder, samples: Sequence[Sample], seed: int = 0) -> TokenLosses | None:
    """What a model's language-model head makes of some texts, and of their tokens shuffled.

    A causal model reads a text once and foresees every token but the first, which keeps its place.
    A masked one reads it three times, each time with another 15 % of the tokens masked together:
    the pseudo-log-likelihood of Salazar et al. (2020) masks one at a time, at a hundred times the
    cost. The same tokens count in the text and in its permutation; special and unknown ones never
    do. At most 64 texts and the first 128 tokens of each are read; a text with fewer than four
    tokens is left out.

    Args:
        encoder: The model. Its features' network is given back first, as two may not fit.
        samples: Texts, pairs or sequences of words.
        seed: Of the texts drawn, the permutations and the masks.

    Returns:
        None where the model has no such head, its weights are not there, or no text is long enough.

    Raises:
        EncoderError: The model cannot be loaded or run.

    References:
        Salazar et al. (2020), Masked language model scoring, ACL.
    """
    owner = unwrapped(encoder)
    if not isinstance(owner, LanguageEncoder) or (model := owner.language_model()) is None:
        return None
    draws = np.random.default_rng(seed)
    order = np.sort(draws.permutation(len(samples))[:_MOST_TEXTS])
    readings = _readings(model, model.tokens([samples[i] for i in order], _MOST_TOKENS), draws)
    if readings is None:
        return None
    text, permuted = readings
    n_tokens = (text.passes != _NEVER).sum(1)
    with explained(encoder.name, "run"):
        return TokenLosses(model.kind, _sums(model, text), _sums(model, permuted), n_tokens)


@dataclass(frozen=True, slots=True)
class _Reading:
    """Texts to read, and in which pass `(n, t)` each token is asked for, if ever."""

    batch: HfBatch
    passes: NDArray[np.int64]

    @property
    def ids(self) -> NDArray[np.int64]:
        ids: NDArray[np.int64] = self.batch.inputs["input_ids"]
        return ids

    def parts(self, n_rows: int) -> Iterator[tuple[NDArray[np.int64], _Reading]]:
        """A few rows at a time, those of like length together, with where they stood."""
        lengths = self.batch.inputs["attention_mask"].sum(1)
        order = np.argsort(lengths, kind="stable")
        for start in range(0, len(order), n_rows):
            rows = order[start : start + n_rows]
            batch = self.batch.rows(rows)
            width = batch.inputs["input_ids"].shape[1]
            yield rows, _Reading(batch, self.passes[rows, :width])


def _readings(
    model: HfLanguageModel, batch: HfBatch, draws: np.random.Generator
) -> tuple[_Reading, _Reading] | None:
    ids = batch.inputs["input_ids"]
    movable = (batch.inputs["attention_mask"] > 0) & ~model.is_special(ids)
    movable[:, 0] &= model.kind == "masked"
    enough = np.flatnonzero(movable.sum(1) >= _LEAST_TOKENS)
    if not len(enough):
        return None
    batch, movable = batch.rows(enough), movable[enough]
    ids = batch.inputs["input_ids"]
    movable = movable[:, : ids.shape[1]]
    passes, permuted = np.full_like(ids, _NEVER), ids.copy()
    for row, places in enumerate(map(np.flatnonzero, movable)):
        passes[row, places] = _passes(model.kind, len(places), draws)
    permuted_passes = passes.copy()
    for row, places in enumerate(map(np.flatnonzero, movable)):
        taken = draws.permutation(places)
        permuted[row, places], permuted_passes[row, places] = ids[row, taken], passes[row, taken]
    shuffled = replace(batch, inputs={**batch.inputs, "input_ids": permuted})
    return _Reading(batch, passes), _Reading(shuffled, permuted_passes)


def _passes(kind: HeadKind, n_tokens: int, draws: np.random.Generator) -> NDArray[np.int64]:
    """The pass in which each of a text's tokens is asked for."""
    if kind == "causal":
        return np.zeros(n_tokens, dtype=np.int64)
    block = max(1, round(_MASKED_SHARE * n_tokens))
    passes = draws.permutation(n_tokens) // block
    return np.where(passes < _MASKED_PASSES, passes, _NEVER)


def _sums(model: HfLanguageModel, reading: _Reading) -> NDArray[np.float64]:
    """`(n,)` summed loss of each text."""
    totals = np.zeros(len(reading.ids))
    n_rows = max(1, _MOST_LOGITS // (model.vocabulary_size * reading.ids.shape[1]))
    for rows, part in reading.parts(n_rows):
        for number in range(part.passes.max() + 1):
            at = part.passes == number
            shown = part.ids if model.mask_id is None else np.where(at, model.mask_id, part.ids)
            losses = model.losses({**part.batch.inputs, "input_ids": shown}, part.ids, at)
            totals[rows] += np.bincount(np.nonzero(at)[0], losses, len(rows))
    return totals
