"""VectorsEncoder: word vectors such as GloVe's, a text being the mean of its words."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from transferscore.encoders.digests import digest_of, existing_file
from transferscore.encoders.encoder import IMAGE_COST, Encoding, Sample
from transferscore.encoders.loading import Lazily
from transferscore.encoders.on_disk import OneFile
from transferscore.encoders.pairs import encode_pairs, texts_of_pairs
from transferscore.encoders.pooling import require_one_of
from transferscore.encoders.samples import (
    NOUNS,
    TEXT_KINDS,
    Modality,
    modality_of,
    require_modality,
    text_cost,
)
from transferscore.encoders.uri import ModelUri
from transferscore.errors import EncoderError

__all__ = ["VectorsEncoder", "WordVectors", "read_word_vectors"]

_VERSION = "vectors 1"
_POOLINGS = ("auto", "mean", "max")
_PIECES = re.compile(r"\w+|[^\w\s]")


@dataclass(frozen=True, slots=True)
class WordVectors:
    """A table of words.

    Attributes:
        row: Which row of `vectors` a word has.
        vectors: `(n_words, d)` float32.
    """

    row: dict[str, int]
    vectors: NDArray[np.float32]

    def rows_of(self, text: str) -> list[int]:
        """Rows of the words of a text, in its order; words that are not in the table have none.

        What stands between spaces is looked up as it is, then in lower case, then in pieces: words
        and marks of punctuation.
        """
        rows: list[int] = []
        for word in text.split():
            found = self._row_of(word)
            pieces = [found] if found is not None else map(self._row_of, _PIECES.findall(word))
            rows += [row for row in pieces if row is not None]
        return rows

    def _row_of(self, word: str) -> int | None:
        return self.row.get(word, self.row.get(word.lower()))


@dataclass(frozen=True, slots=True)
class _Batch:
    """Rows of the table for each text, or for each word of token sequences."""

    modality: Modality
    rows: list[list[int]]
    n_samples: int

    def __len__(self) -> int:
        return self.n_samples


class VectorsEncoder(OneFile):
    """Word vectors: `vectors:FILE.npz[?pooling=max]`, with arrays `words` and `vectors`.

    The features of a text are the mean of its words' vectors, or their maximum; a text without any
    word of the table has zeros. Of a sequence of words, each word is one row. Two texts are told by
    |u - v| and u * v of their features u and v. Nothing is unpickled.

    Args:
        path: The file: `words` `(n,)` of text, `vectors` `(n, d)`.
        pooling: "mean", which "auto" is, or "max".
        name: What the report calls the model.

    Raises:
        EncoderError: There is no such pooling.
    """

    def __init__(self, path: str | Path, *, pooling: str = "auto", name: str | None = None) -> None:
        require_one_of(pooling, _POOLINGS)
        super().__init__(path, name or f"vectors:{path}")
        self._pooling = pooling
        self._table = Lazily(lambda: read_word_vectors(self._path, self._name))

    @classmethod
    def from_uri(cls, uri: ModelUri, *, device: str, name: str) -> VectorsEncoder:  # noqa: ARG003
        """The encoder that a `vectors:` URI means; no device is needed to look words up."""
        return cls(uri.path, pooling=uri.options.get("pooling", "auto"), name=name)

    def digest(self) -> str:
        """Hash of the file and the pooling."""
        return digest_of(_VERSION, self._pooling, existing_file(self._path))

    def cost(self, sample: Sample) -> int:
        """About how many tokens a text is."""
        return text_cost(sample) or IMAGE_COST

    def prepare(self, samples: Sequence[Any]) -> _Batch:
        """The rows of the table that the words of each text have."""
        modality = modality_of(samples[0])
        if modality not in TEXT_KINDS:
            raise EncoderError(f"`{self._name}` takes text; got {NOUNS[modality]}.")
        require_modality(samples, modality, self._name)
        texts: Sequence[str] = samples
        if modality == "text_pair":
            texts = texts_of_pairs(samples)
        elif modality == "tokens":
            texts = [word for sample in samples for word in sample.words]
        table = self._table.get()
        return _Batch(modality, [table.rows_of(text) for text in texts], len(samples))

    def forward(self, batch: _Batch) -> Encoding:
        """Features of a prepared batch."""
        if batch.modality == "text_pair":
            return encode_pairs(self._pooled, batch.rows)
        encoding = self._pooled(batch.rows)
        if batch.modality == "text":
            return encoding
        return Encoding(encoding.features, word_mask=np.ones(len(batch.rows), dtype=np.bool_))

    def release(self) -> None:
        """Drop the table."""
        self._table.drop()

    def _pooled(self, texts: list[list[int]]) -> Encoding:
        vectors = self._table.get().vectors
        features = np.zeros((len(texts), vectors.shape[1]), dtype=np.float32)
        for feature, rows in zip(features, texts, strict=True):
            if rows:
                words = vectors[rows]
                feature[:] = words.max(0) if self._pooling == "max" else words.mean(0)
        return Encoding(features)


def read_word_vectors(path: Path, name: str) -> WordVectors:
    """The table in an `.npz` file of the model called `name`.

    Raises:
        EncoderError: There is no such file, or it has no finite `vectors` `(n, d)` for `words`
            `(n,)` of text.
    """
    try:
        # numpy leaves a file that it opened itself open when it turns out to be no archive.
        with existing_file(path).open("rb") as file, np.load(file, allow_pickle=False) as archive:
            arrays = {key: archive[key] for key in ("words", "vectors") if key in archive.files}
    except (ValueError, OSError, EOFError, TypeError, AttributeError, zipfile.BadZipFile) as error:
        raise EncoderError(
            f"`{name}` cannot be read as word vectors, which are an .npz file with `words` (text, "
            f"not objects) and `vectors`: {error}"
        ) from error
    if len(arrays) < 2:
        raise EncoderError(
            f"`{name}` must have the arrays `words` and `vectors`; it lacks "
            f"{' and '.join(sorted({'words', 'vectors'} - set(arrays)))}."
        )
    words, vectors = arrays["words"], arrays["vectors"]
    fits = words.ndim == 1 and vectors.ndim == 2 and 0 < len(words) == len(vectors)
    if words.dtype.kind != "U" or vectors.dtype.kind != "f" or not fits:
        raise EncoderError(
            f"`{name}` must have `words` (n,) of text and `vectors` (n, d) of floats; got "
            f"{words.dtype} {words.shape} and {vectors.dtype} {vectors.shape}."
        )
    table = vectors.astype(np.float32)
    if not np.isfinite(table).all():
        raise EncoderError(f"`vectors` of `{name}` must be finite; some of its numbers are not.")
    return WordVectors({str(word): row for row, word in enumerate(words)}, table)
