"""From samples to features: in batches, resumable, one batch prepared while another runs."""

from __future__ import annotations

import hashlib
import os
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from typing import Any

import numpy as np
from numpy.typing import NDArray

from transferscore.datasets import Dataset, sample_digests
from transferscore.encoders import Encoder, Encoding, FeaturesFile
from transferscore.encoders.encoder import IMAGE_COST
from transferscore.encoders.joining import in_order, joined
from transferscore.encoders.torch_inference import is_out_of_memory
from transferscore.errors import EncoderError, SampleError
from transferscore.features.features import Features
from transferscore.features.store import Entry, Store

__all__ = ["extract_features"]

_CHUNK_SAMPLES = 256
# A batch's samples times the cost of its largest: 32 images, or some thousand tokens of text.
_BATCH_COST = 32 * IMAGE_COST
_MOST_WORKERS = 8

Progress = Callable[[int, int], None]


def extract_features(
    encoder: Encoder | FeaturesFile,
    dataset: Dataset,
    *,
    store: Store | None = None,
    on_progress: Progress | None = None,
    batch_size: int = _CHUNK_SAMPLES,
    digests: Sequence[str] | None = None,
) -> Features:
    """Features of every readable sample; what the store has is not computed again.

    Samples are taken in chunks, each stored as soon as it is whole under a key made of the
    encoder's digest and the samples' own, so a run that is killed goes on where it stopped. A batch
    that does not fit in memory is halved until it does.

    Args:
        encoder: The model.
        dataset: n samples.
        store: Where chunks are kept; None to keep nothing.
        on_progress: Called with the samples done and the samples that came from the store.
        batch_size: Most samples in a forward pass.
        digests: `sample_digests(dataset)`, where the caller has them already.

    Raises:
        EncoderError: The model cannot be loaded or run, or no sample can be read.
    """
    if isinstance(encoder, FeaturesFile):
        return _features_from_file(encoder, dataset)
    chunks = _chunks(encoder, dataset, store is not None, digests)
    n_stored = sum(_load(chunk, store) for chunk in chunks)
    report = on_progress or _silent
    report(n_stored, n_stored)
    missing = [chunk for chunk in chunks if chunk.entry is None]
    seconds = 0.0
    if missing:
        done = n_stored
        for chunk, spent in _encode_chunks(encoder, dataset, missing, batch_size):
            if store is not None and chunk.key is not None and chunk.entry is not None:
                store.put(chunk.key, chunk.entry)
            seconds += spent
            done += len(chunk.rows)
            report(done, n_stored)
    return _assemble(encoder.name, chunks, dataset, n_stored, seconds)


def _silent(_done: int, _stored: int) -> None:
    """Report to nobody."""


@dataclass(slots=True)
class _Chunk:
    """Samples that are encoded and stored together, and what came of them."""

    rows: NDArray[np.int64]
    costs: NDArray[np.int64]
    key: str | None
    entry: Entry | None = None


@dataclass(slots=True)
class _Prepared:
    """A batch ready for the model: positions of the readable samples, and why others are not."""

    rows: list[int]
    batch: Any = None
    unreadable: dict[int, str] = field(default_factory=dict)


@dataclass(slots=True)
class _Fits:
    """The most samples that are known to fit in memory together."""

    n_samples: int


def _chunks(
    encoder: Encoder, dataset: Dataset, keyed: bool, digests: Sequence[str] | None
) -> list[_Chunk]:
    """Samples of like cost together, in chunks whose keys depend on nothing but their content."""
    costs = np.array([encoder.cost(sample) for sample in dataset.samples])
    order = np.argsort(costs, kind="stable")
    digest = encoder.digest() if keyed else None
    content = (digests or sample_digests(dataset)) if digest is not None else []
    chunks = []
    for start in range(0, len(order), _CHUNK_SAMPLES):
        rows = order[start : start + _CHUNK_SAMPLES]
        key = None
        if digest is not None:
            parts = ["features-3", digest, *(content[row] for row in rows)]
            key = hashlib.sha256("\n".join(parts).encode()).hexdigest()
        chunks.append(_Chunk(rows, costs[rows], key))
    return chunks


def _load(chunk: _Chunk, store: Store | None) -> int:
    """Fill a chunk from the store; returns how many samples that gave."""
    if store is not None and chunk.key is not None:
        chunk.entry = store.get(chunk.key)
    return len(chunk.rows) if chunk.entry is not None else 0


def _encode_chunks(
    encoder: Encoder, dataset: Dataset, chunks: list[_Chunk], batch_size: int
) -> Iterator[tuple[_Chunk, float]]:
    """Encode chunk after chunk, the next batches being prepared while the model runs."""
    samples = dataset.samples
    plan = [
        (chunk, rows, rows is chunk_batches[-1])
        for chunk in chunks
        for chunk_batches in [_batches(chunk, batch_size)]
        for rows in chunk_batches
    ]
    prepare = partial(_prepare, encoder, samples)
    parts: list[tuple[_Prepared, Encoding | None]] = []
    spent, fits = 0.0, _Fits(batch_size)
    prepared_batches = _ahead(prepare, [rows for _, rows, _ in plan], _n_workers(dataset))
    for (chunk, _, is_last), prepared in zip(plan, prepared_batches, strict=True):
        began = time.perf_counter()
        parts.append((prepared, _forward(encoder, samples, prepared, fits)))
        spent += time.perf_counter() - began
        if is_last:
            chunk.entry = _entry(chunk, parts)
            yield chunk, spent
            parts, spent = [], 0.0


def _batches(chunk: _Chunk, most_samples: int) -> list[NDArray[np.int64]]:
    """The chunk's rows, which are in order of cost, in batches within `_BATCH_COST`."""
    batches, start = [], 0
    for end in range(1, len(chunk.rows)):
        count = end + 1 - start
        if count * chunk.costs[end] > _BATCH_COST or count > most_samples:
            batches.append(chunk.rows[start:end])
            start = end
    return [*batches, chunk.rows[start:]]


def _ahead(
    prepare: Callable[[NDArray[np.int64]], _Prepared],
    batches: list[NDArray[np.int64]],
    n_workers: int,
) -> Iterator[_Prepared]:
    """The prepared batches in their order, some of them made before they are asked for."""
    pool = ThreadPoolExecutor(n_workers, thread_name_prefix="transferscore-prepare")
    waiting: deque[Future[_Prepared]] = deque()
    rest = iter(batches)
    try:
        for rows in islice(rest, n_workers + 1):
            waiting.append(pool.submit(prepare, rows))
        while waiting:
            prepared = waiting.popleft().result()
            for rows in islice(rest, 1):
                waiting.append(pool.submit(prepare, rows))
            yield prepared
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _n_workers(dataset: Dataset) -> int:
    """Threads that prepare: several where decoding is most of it, which runs outside the GIL."""
    if dataset.modality not in ("image", "audio"):
        return 1
    return min(_MOST_WORKERS, max(1, len(os.sched_getaffinity(0)) - 1))


def _prepare(encoder: Encoder, samples: Sequence[Any], rows: NDArray[np.int64]) -> _Prepared:
    """The model's input for these rows; those that cannot be read are named, not fatal."""
    positions = [int(row) for row in rows]
    try:
        return _Prepared(positions, encoder.prepare([samples[row] for row in positions]))
    except SampleError:
        prepared = _Prepared([])
    for row in positions:
        try:
            encoder.prepare([samples[row]])
            prepared.rows.append(row)
        except SampleError as error:
            prepared.unreadable[row] = str(error)
    if prepared.rows:
        prepared.batch = encoder.prepare([samples[row] for row in prepared.rows])
    return prepared


def _forward(
    encoder: Encoder, samples: Sequence[Any], prepared: _Prepared, fits: _Fits
) -> Encoding | None:
    """Run the model on a batch, in halves where a batch of that size does not fit in memory."""
    if not prepared.rows:
        return None
    if len(prepared.rows) <= fits.n_samples:
        try:
            return _checked(encoder.forward(prepared.batch), len(prepared.rows), encoder.name)
        except Exception as error:
            if not is_out_of_memory(error) or len(prepared.rows) == 1:
                raise
            fits.n_samples = len(prepared.rows) // 2
    # Outside the handler, so that the failed attempt's tensors are free before the next.
    prepared.batch = None
    middle = (len(prepared.rows) + 1) // 2
    halves = [
        _forward(encoder, samples, _prepare(encoder, samples, np.array(rows)), fits)
        for rows in (prepared.rows[:middle], prepared.rows[middle:])
    ]
    return joined([half for half in halves if half is not None])


def _checked(encoding: Encoding, n_rows: int, name: str) -> Encoding:
    if encoding.word_mask is not None:
        n_rows = int(encoding.word_mask.sum())
    if encoding.features.ndim != 2 or len(encoding.features) != n_rows:
        raise EncoderError(
            f"`{name}` must give features of shape ({n_rows}, n_features) for {n_rows} samples; "
            f"got {encoding.features.shape}."
        )
    return encoding


def _entry(chunk: _Chunk, parts: list[tuple[_Prepared, Encoding | None]]) -> Entry:
    """A chunk's features, the positions within it that they belong to, and the unreadable rest."""
    position = {int(row): i for i, row in enumerate(chunk.rows)}
    readable = [position[row] for prepared, _ in parts for row in prepared.rows]
    unreadable = {
        str(position[row]): why for prepared, _ in parts for row, why in prepared.unreadable.items()
    }
    arrays: dict[str, NDArray[Any]] = {"positions": np.array(readable, dtype=np.int64)}
    encodings = [encoding for _, encoding in parts if encoding is not None]
    if encodings:
        arrays |= _arrays_of(joined(encodings))
    n_cut = sum(encoding.n_cut for encoding in encodings)
    return Entry(arrays, {"unreadable": unreadable, "n_cut": n_cut})


def _arrays_of(encoding: Encoding) -> dict[str, NDArray[Any]]:
    arrays: dict[str, NDArray[Any]] = {"features": encoding.features.astype(np.float32, copy=False)}
    if encoding.logits is not None:
        arrays["logits"] = encoding.logits.astype(np.float32, copy=False)
    if encoding.word_mask is not None:
        arrays["word_mask"] = encoding.word_mask
    for index, layer in enumerate(encoding.layers[:-1]):  # the last of them are the features
        arrays[f"layer.{index}"] = layer.astype(np.float32, copy=False)
    return arrays


def _encoding_of(arrays: Mapping[str, NDArray[Any]]) -> Encoding:
    """The inverse of `_arrays_of`."""
    inner = [arrays[f"layer.{i}"] for i in range(sum(key.startswith("layer.") for key in arrays))]
    every = (*inner, arrays["features"]) if inner else ()
    return Encoding(arrays["features"], arrays.get("logits"), every, arrays.get("word_mask"))


def _assemble(
    name: str, chunks: list[_Chunk], dataset: Dataset, n_stored: int, seconds: float
) -> Features:
    """The chunks' rows back in the dataset's order."""
    unreadable: dict[int, str] = {}
    rows, encodings = [], []
    for chunk in chunks:
        entry = chunk.entry
        if entry is None:
            continue
        unreadable |= {int(chunk.rows[int(i)]): why for i, why in entry.about["unreadable"].items()}
        if "features" in entry.arrays:
            rows.append(chunk.rows[entry.arrays["positions"]])
            encodings.append(_encoding_of(entry.arrays))
    if not rows:
        first = unreadable[min(unreadable)] if unreadable else "the dataset is empty."
        raise EncoderError(f"None of the {len(dataset)} samples could be read; the first: {first}")
    where = np.concatenate(rows)
    n_words = _n_words(dataset) if encodings[0].word_mask is not None else None
    encoding = in_order(joined(encodings), where, () if n_words is None else list(n_words[where]))
    return Features(
        name,
        encoding.features,
        encoding.logits,
        _kept(len(dataset), where, n_words, encoding.word_mask),
        dict(sorted(unreadable.items())),
        n_stored,
        seconds,
        encoding.layers,
        sum(chunk.entry.about["n_cut"] for chunk in chunks if chunk.entry is not None),
    )


def _n_words(dataset: Dataset) -> NDArray[np.int64]:
    return np.array([len(sample.words) for sample in dataset.samples], dtype=np.int64)


def _kept(
    n_samples: int,
    where: NDArray[np.int64],
    n_words: NDArray[np.int64] | None,
    word_mask: NDArray[np.bool_] | None,
) -> NDArray[np.bool_]:
    """Which samples, or which words of all samples, have a row."""
    kept = np.zeros(n_samples, dtype=np.bool_)
    kept[where] = True
    if n_words is None or word_mask is None:
        return kept
    words: NDArray[np.bool_] = np.repeat(kept, n_words)
    words[words] = word_mask
    return words


def _features_from_file(file: FeaturesFile, dataset: Dataset) -> Features:
    encoding = file.encoding_of_rows(dataset.rows, dataset.n_source_rows, len(dataset))
    everything = np.ones(len(dataset), dtype=bool)
    return Features(file.name, encoding.features, encoding.logits, everything, {}, len(dataset))
