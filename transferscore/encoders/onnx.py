"""OnnxEncoder: models in ONNX files, run by ONNX Runtime."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from transferscore.encoders.digests import digest_of, existing_file
from transferscore.encoders.encoder import IMAGE_COST, Batch, Encoding, Sample
from transferscore.encoders.hf_inputs import HfBatch, word_mask
from transferscore.encoders.loading import Lazily, explained
from transferscore.encoders.model_input import input_batch
from transferscore.encoders.on_disk import OneFile
from transferscore.encoders.onnx_files import onnx_files
from transferscore.encoders.onnx_session import OnnxSession, open_session
from transferscore.encoders.onnx_text import UnitBatch, encode_texts, encode_words, unit_batch
from transferscore.encoders.onnx_tokens import TokenReader, read_tokenizer, tokenizer_file
from transferscore.encoders.onnx_trainable import converted_graph, graph_features
from transferscore.encoders.pairs import encode_pairs
from transferscore.encoders.pooling import in_fixed_batches, require_one_of
from transferscore.encoders.samples import TEXT_KINDS, modality_of, require_modality, text_cost
from transferscore.encoders.text_units import TextUnits, read_text_units
from transferscore.encoders.token_budget import in_token_budget
from transferscore.encoders.torch_inference import chosen_device
from transferscore.encoders.trainable import TrainableModel
from transferscore.encoders.uri import ModelUri
from transferscore.encoders.waves import Waves, encode_waves, read_waves
from transferscore.errors import EncoderError

__all__ = ["OnnxEncoder"]

_VERSION = "onnx 2"


class OnnxEncoder(OneFile):
    """A model in an ONNX file: `onnx:FILE.onnx[?size=PIXELS&rate=HERTZ&pooling=...][#TENSOR]`.

    Features are the output `features`, or the tensor named, or (where there is neither) what goes
    into the classifier; naming an inner tensor and finding the classifier need the package `onnx`.
    The output `logits` (else the classifier's) gives the source logits. Tensors of four dimensions
    are pooled over space, of three over tokens or time.

    Images go in as RGB in [0, 1] (uint8 inputs: 0 to 255), in the layout and size of the input,
    else at the `native_resolution` of the metadata, else 224 x 224: normalisation is the graph's
    affair. Texts need a `tokenizer.json` or `<stem>.tokenizer.json` beside the file, of the
    tokenizers library or with the vocabulary of a character model. Sounds go in as waves in [-1, 1]
    at the `sample_rate` of the metadata, those of a fixed length in windows of it. Arrays go in as
    they are.

    Args:
        path: The ONNX file.
        output: Name of the output or inner tensor to take as features.
        size: Height and width of images, where the input leaves them open.
        rate: Hertz of sounds, where the metadata does not say.
        pooling: "mean", "cls" (the first), "last" or "max" over tokens, space or time; "auto" is
            the mean.
        device: "auto", "cpu" or "cuda"; without ONNX Runtime's CUDA provider, all are the CPU.
        name: What the report calls the model.

    Raises:
        EncoderError: There is no such pooling.
    """

    def __init__(  # noqa: PLR0913 -- the options of the URI, each by name
        self,
        path: str | Path,
        *,
        output: str | None = None,
        size: int | None = None,
        rate: int | None = None,
        pooling: str = "auto",
        device: str = "auto",
        name: str | None = None,
    ) -> None:
        require_one_of(pooling)
        super().__init__(path, name or f"onnx:{path}" + (f"#{output}" if output else ""))
        self._output = output
        self._size, self._rate, self._pooling = size, rate, pooling
        self._device = device
        self._session = Lazily(self._open)
        self._reader = Lazily(self._read_tokenizer)
        self._has_classes = Lazily(self._sounds_have_classes)
        self._obstacle: str | None = None

    @classmethod
    def from_uri(cls, uri: ModelUri, *, device: str, name: str) -> OnnxEncoder:
        """The encoder that an `onnx:` URI means."""
        return cls(
            uri.path,
            output=uri.output,
            size=uri.integer("size"),
            rate=uri.integer("rate"),
            pooling=uri.options.get("pooling", "auto"),
            device=device,
            name=name,
        )

    def digest(self) -> str:
        """Hash of the model file, its external weights, its tokenizer, and the options."""
        files = onnx_files(existing_file(self._path))
        options = f"{self._size} {self._rate} {self._pooling}"
        return digest_of(_VERSION, self._output, options, *files)

    def cost(self, sample: Sample) -> int:
        """About how many tokens a text is; a constant for anything else."""
        return text_cost(sample) or IMAGE_COST

    def prepare(self, samples: Sequence[Sample]) -> Batch:
        """The graph's input for the samples; for texts, their ids; for sounds, their waves."""
        session, modality = self._session.get(), modality_of(samples[0])
        if modality == "audio" and session.input.is_wave:
            require_modality(samples, "audio", self._name)
            return read_waves(samples, self._rate_of(session))
        if session.rate is not None and session.input.is_wave and modality != "array":
            require_modality(samples, "audio", self._name)
        if not session.input.is_text or modality == "array":
            return input_batch(samples, session.input, self._name)
        require_modality(samples, modality if modality in TEXT_KINDS else "text", self._name)
        reader = self._reader.get()
        if isinstance(reader, TokenReader):
            return reader.batch(samples, modality)
        return unit_batch(samples, modality, reader)

    def forward(self, batch: Batch) -> Encoding:
        """Features (and logits) of a prepared batch."""
        session = self._session.get()
        with explained(self._name, "run"):
            if isinstance(batch, Waves):
                return self._encode_waves(session, batch)
            if isinstance(batch, HfBatch):
                device = chosen_device(self._device)
                encoding = in_token_budget(lambda part: self._encode(session, part), batch, device)
                return replace(encoding, n_cut=batch.n_cut)
            if isinstance(batch, UnitBatch):
                return replace(self._encode_units(session, batch), n_cut=batch.n_cut)
            return in_fixed_batches(
                lambda part: session.run({session.input.name: part}, self._name),
                batch,
                session.input.shape[0],
            )

    def why_untrainable(self) -> str:
        """Why the graph does not become a trainable module, after "it is"; empty where it does."""
        if self._obstacle is None:
            try:
                converted_graph(existing_file(self._path), self._session.get(), self._name)
                self._obstacle = ""
            except EncoderError as error:
                self._obstacle = str(error)
        return self._obstacle

    def trainable(self) -> TrainableModel:
        """The graph as a module, converted again by onnx2torch. Images go in at one size."""
        session, device = self._session.get(), chosen_device(self._device)
        module = converted_graph(existing_file(self._path), session, self._name).to(device)
        features = partial(graph_features, module, session=session, name=self._name)
        return TrainableModel(self._name, module, device, self.prepare, features)

    def release(self) -> None:
        """Drop the session."""
        self._session.drop()

    def _encode(self, session: OnnxSession, batch: HfBatch) -> Encoding:
        ids, kind = batch.inputs["input_ids"], session.input.dtype
        given = {key: batch.inputs[key] for key in session.more_inputs if key in batch.inputs}
        if "position_ids" in session.more_inputs:
            given["position_ids"] = np.broadcast_to(np.arange(ids.shape[1]), ids.shape)
        feeds = {session.input.name: ids, **given}
        feeds = {key: np.ascontiguousarray(value, dtype=kind) for key, value in feeds.items()}
        if batch.words is not None:
            rows = session.run_words(feeds, batch.words, self._name)
            return Encoding(rows, word_mask=word_mask(batch))
        return session.run(feeds, self._name, batch.inputs["attention_mask"].astype(np.bool_))

    def _encode_units(self, session: OnnxSession, batch: UnitBatch) -> Encoding:
        units = self._reader.get()
        if isinstance(units, TokenReader):  # the tokenizer beside the file was another meanwhile
            raise EncoderError(f"The tokenizer of `{self._name}` has changed since it was read.")
        if batch.modality == "tokens":
            return encode_words(batch, session, units, self._name)

        def encode(texts: Any) -> Encoding:
            return encode_texts(texts, session, units, self._name)

        if batch.modality == "text_pair":
            return encode_pairs(encode, batch.texts)
        return encode(batch.texts)

    def _encode_waves(self, session: OnnxSession, batch: Waves) -> Encoding:
        has_classes = self._has_classes.get()

        def run(waves: NDArray[np.float32], shares: NDArray[np.float64]) -> Encoding:
            feeds = {session.input.name: session.input.wave_batch(waves)}
            encoding = session.run(feeds, self._name, shares=shares)
            return encoding if has_classes else Encoding(encoding.features)

        return encode_waves(batch, run, session.input.wave_length, session.input.shape[0])

    def _sounds_have_classes(self) -> bool:
        """Whether the logits are of classes: those of a longer sound would be no more of them."""
        session = self._session.get()
        if session.logits is None or session.input.wave_length is not None:
            return session.logits is not None
        rate = self._rate_of(session)
        widths = set()
        for n_samples in (rate, 2 * rate):
            silence = np.zeros((session.input.shape[0] or 1, n_samples), dtype=np.float32)
            feeds = {session.input.name: session.input.wave_batch(silence)}
            logits = session.run(feeds, self._name).logits
            widths.add(None if logits is None else logits.shape[1])
        return len(widths) == 1

    def _rate_of(self, session: OnnxSession) -> int:
        rate = self._rate or session.rate
        if rate is None:
            raise EncoderError(
                f"`{self._name}` takes sounds, and its metadata has no `sample_rate`. Say at how "
                f"many hertz with `?rate=`, as in `?rate=16000`."
            )
        return rate

    def _open(self) -> OnnxSession:
        size = None if self._size is None else (self._size, self._size)
        return open_session(
            existing_file(self._path),
            self._name,
            output=self._output,
            size=size,
            device=chosen_device(self._device),
            pooling=self._pooling,
        )

    def _read_tokenizer(self) -> TokenReader | TextUnits:
        path = tokenizer_file(self._path)
        reader = None if path is None else read_tokenizer(path, self._name)
        return reader or read_text_units(self._path, self._session.get().input.shape[1], self._name)
