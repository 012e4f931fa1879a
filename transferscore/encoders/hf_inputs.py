"""Samples as the arrays that a transformers model is called with."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from transferscore.encoders.samples import Modality, Pair, Picture, Sound, Words
from transferscore.encoders.waves import read_waves
from transferscore.errors import EncoderError

__all__ = ["HfBatch", "audio_batch", "image_batch", "text_batch", "word_mask"]

Library = Any  # a tokenizer, image processor or feature extractor of transformers

_WAVE_A_TOKEN = 320  # the stride of the speech models


@dataclass(frozen=True, slots=True)
class HfBatch:
    """Model inputs by the name of the argument, one row a sample, padded on the right.

    Attributes:
        modality: What they were made from.
        inputs: Arrays `(b, ...)`.
        lengths: `(b,)` tokens of a text or numbers of a sound, padding left out; None where all
            samples are of one size to the model.
        words: `(b, t)`, which word a token belongs to, -1 for none; for token sequences.
        n_words: Words of each token sequence.
        n_cut: How many of the texts lost their ends.
    """

    modality: Modality
    inputs: dict[str, NDArray[Any]]
    lengths: NDArray[np.int64] | None = None
    words: NDArray[np.int64] | None = None
    n_words: tuple[int, ...] = ()
    n_cut: int = 0

    def __len__(self) -> int:
        return len(next(iter(self.inputs.values())))

    @property
    def needs_equal_lengths(self) -> bool:
        """Whether padding would change the numbers: the model is told nothing of it."""
        return self.lengths is not None and "attention_mask" not in self.inputs

    @property
    def length_of_token(self) -> int:
        """Units of length in what is as much work as one token of text."""
        return _WAVE_A_TOKEN if self.modality == "audio" else 1

    def rows(self, chosen: NDArray[np.int64]) -> HfBatch:
        """The batch of these samples only, with no more padding than they need."""
        if self.lengths is None:
            inputs = {key: value[chosen] for key, value in self.inputs.items()}
            return HfBatch(self.modality, inputs)
        padded, longest = self._padded_length(), int(self.lengths[chosen].max())

        def cut(values: NDArray[Any]) -> NDArray[Any]:
            part = values[chosen]
            return part[:, :longest] if part.ndim > 1 and part.shape[1] == padded else part

        return HfBatch(
            self.modality,
            {key: cut(value) for key, value in self.inputs.items()},
            self.lengths[chosen],
            None if self.words is None else cut(self.words),
            tuple(self.n_words[row] for row in chosen) if self.n_words else (),
        )

    def _padded_length(self) -> int:
        return max(int(value.shape[1]) for value in self.inputs.values() if value.ndim == 2)


def text_batch(
    tokenizer: Library, samples: Sequence[Any], modality: Modality, limit: int, name: str
) -> HfBatch:
    """Token ids of texts, of pairs as the tokenizer joins them, or of sequences of words.

    Args:
        tokenizer: Pads on the right.
        samples: `str`, `Pair` or `Words`, as `modality` says.
        modality: One of the text kinds.
        limit: Most tokens of a sample; the end of a longer one is cut off.
        name: What the report calls the model.

    Raises:
        EncoderError: Words, and a tokenizer that cannot say which token is of which word.
    """
    tokens = tokenizer(
        *_texts(samples, modality),
        is_split_into_words=modality == "tokens",
        padding=True,
        truncation=True,
        max_length=limit,
        return_attention_mask=True,
        return_tensors="np",
    )
    inputs = {key: np.asarray(value, dtype=np.int64) for key, value in tokens.items()}
    inputs = _with_a_token_each(inputs, int(tokenizer.pad_token_id))
    lengths = inputs["attention_mask"].sum(1)
    n_cut = sum(bool(encoding.overflowing) for encoding in tokens.encodings or ())
    if modality != "tokens":
        return HfBatch(modality, inputs, lengths, n_cut=n_cut)
    if not tokenizer.is_fast:
        raise EncoderError(
            f"The tokenizer of `{name}` cannot say which token is of which word, so words cannot "
            f"be tagged with it. Use a model with a `tokenizer.json`."
        )
    words = np.full(inputs["input_ids"].shape, -1, dtype=np.int64)
    for row in range(len(samples)):
        ids = [-1 if word is None else word for word in tokens.word_ids(row)]
        words[row, : len(ids)] = ids
    n_words = tuple(len(sample.words) for sample in samples)
    return HfBatch(modality, inputs, lengths, words, n_words, n_cut)


def image_batch(processor: Library, samples: Sequence[Picture]) -> HfBatch:
    """Pixel values, as the model's own image processor makes them."""
    made = processor(images=[sample.image() for sample in samples], return_tensors="np")
    return HfBatch("image", {key: np.asarray(value) for key, value in made.items()})


def audio_batch(extractor: Library, samples: Sequence[Sound]) -> HfBatch:
    """Waves or spectrograms, as the model's own feature extractor makes them.

    Sounds are read at the extractor's rate. A sound shorter than a tenth of a second is filled up
    with silence to that; what is longer than an extractor of fixed length takes is cut off.
    """
    rate = int(extractor.sampling_rate)
    waves = list(read_waves(samples, rate).waves)
    options: dict[str, Any] = {"sampling_rate": rate, "return_tensors": "np"}
    taken = inspect.signature(extractor.__call__).parameters
    if "padding" in taken and taken["padding"].default is False:
        options["padding"] = True
    if "return_attention_mask" in taken and taken["padding"].default is not False:
        options["return_attention_mask"] = True
    made = {key: np.asarray(value) for key, value in extractor(waves, **options).items()}
    is_wave = made[extractor.model_input_names[0]].ndim == 2
    lengths = np.array([len(wave) for wave in waves], dtype=np.int64) if is_wave else None
    return HfBatch("audio", made, lengths)


def word_mask(batch: HfBatch) -> NDArray[np.bool_] | None:
    """Which words of the batch, one after another, have a token left."""
    if batch.words is None:
        return None
    masks = [
        np.isin(np.arange(n_words), row)
        for n_words, row in zip(batch.n_words, batch.words, strict=True)
    ]
    return np.concatenate(masks)


def _texts(samples: Sequence[Any], modality: Modality) -> tuple[list[Any], ...]:
    if modality == "text_pair":
        pairs: Sequence[Pair] = samples
        return [pair.first for pair in pairs], [pair.second for pair in pairs]
    if modality == "tokens":
        sequences: Sequence[Words] = samples
        return ([list(sequence.words) for sequence in sequences],)
    return (list(samples),)


def _with_a_token_each(tokens: dict[str, NDArray[Any]], pad_id: int) -> dict[str, NDArray[Any]]:
    """A text of no tokens (an empty one, to GPT-2) stands as one padding token that counts."""
    if tokens["attention_mask"].shape[1] == 0:
        shape = (len(tokens["attention_mask"]), 1)
        tokens = {key: np.zeros(shape, dtype=np.int64) for key in tokens}
        tokens["input_ids"] = np.full(shape, pad_id, dtype=np.int64)
    mask = tokens["attention_mask"]
    mask[mask.sum(1) == 0, 0] = 1
    return tokens
