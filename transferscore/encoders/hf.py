"""HfEncoder: text, image and audio models of the transformers library."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any

from transferscore.encoders.digests import digest_of
from transferscore.encoders.encoder import IMAGE_COST, Encoding, Sample
from transferscore.encoders.hf_folder import commit_of, find_folder
from transferscore.encoders.hf_inputs import (
    HfBatch,
    audio_batch,
    image_batch,
    text_batch,
    word_mask,
)
from transferscore.encoders.hf_language import HfLanguageModel, head_kind, load_language_model
from transferscore.encoders.hf_model import (
    HfModel,
    load_audio_extractor,
    load_image_processor,
    load_model,
    load_tokenizer,
)
from transferscore.encoders.hf_pooling import HF_POOLINGS, Pooler
from transferscore.encoders.loading import Lazily, explained
from transferscore.encoders.pooling import require_one_of
from transferscore.encoders.samples import (
    NOUNS,
    TEXT_KINDS,
    Modality,
    modality_of,
    require_modality,
    text_cost,
)
from transferscore.encoders.token_budget import by_equal_lengths, in_token_budget
from transferscore.encoders.torch_inference import (
    autocast,
    chosen_device,
    chosen_precision,
    encoding_of_layers,
    to_device,
)
from transferscore.encoders.trainable import TrainableModel
from transferscore.encoders.uri import ModelUri
from transferscore.errors import EncoderError

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["HfEncoder"]

_VERSION = "hf 2"


class HfEncoder:
    """A transformers model: `hf:FOLDER_OR_NAME[@revision][?pooling=...&layer=...&precision=...]`.

    Weights come from safetensors (from `.bin` only where a folder has nothing else, without
    unpickling objects) and code that comes with a model is not run unless it is trusted. The
    folder's own tokenizer, image processor or feature extractor is used; texts are cut to the
    model's longest. A folder of a classifier gives source logits in the same pass; of an
    encoder-decoder, the encoder alone is used; a folder of a PEFT adapter is its base model with
    the adapter. Two texts go in as the tokenizer joins them; a sequence of words gives one row of
    features a word.

    Args:
        model: A local folder or a name on the hub.
        revision: Branch, tag or commit on the hub.
        pooling: "mean", "cls" (first token), "last" (last token of the text), "max", "pooler" (the
            model's own `pooler_output`, refused if it was never trained) or "auto". For text, auto
            is what a sentence-transformers folder states, else the mean. For images and sounds it
            is what the classifier sees: the model's own plain pooling, else the CLS token, else the
            mean. Of the tokens of a word, auto is the mean.
        layer: Hidden layer; -1 is the last, 0 the embeddings; None for all of them in one pass.
        precision: "float32", "bf16", "fp16" or "auto" (bf16 on a GPU that has it, else fp16). On a
            CPU it is float32 in every case.
        device: "auto", "cpu" or "cuda".
        name: What the report calls the model.
        trust_remote_code: Whether code that comes with the model may be run.

    Raises:
        EncoderError: There is no such pooling or precision.
    """

    def __init__(  # noqa: PLR0913 -- the options of the URI, each by name
        self,
        model: str,
        *,
        revision: str | None = None,
        pooling: str = "auto",
        layer: int | None = -1,
        precision: str = "auto",
        device: str = "auto",
        name: str | None = None,
        trust_remote_code: bool = False,
    ) -> None:
        require_one_of(pooling, HF_POOLINGS)
        chosen_precision(precision, "cpu")
        self._pooling, self._layer, self._precision = pooling, layer, precision
        self._device = device
        self._given = Path(model).expanduser()
        self._name = name or f"hf:{model}" + (f"@{revision}" if revision else "")
        self._folder = Lazily(
            lambda: find_folder(str(model), revision, self._name, is_trusted=trust_remote_code)
        )
        self._tokenizing = Lock()  # a fast tokenizer refuses two threads at once
        self._running = Lock()  # layers and logits are caught by hooks: two threads' would mix
        self._readers = {
            "text": Lazily(lambda: load_tokenizer(self._folder.get(), self._name)),
            "tokens": Lazily(
                lambda: load_tokenizer(self._folder.get(), self._name, for_words=True)
            ),
            "image": Lazily(lambda: load_image_processor(self._folder.get(), self._name)),
            "audio": Lazily(lambda: load_audio_extractor(self._folder.get(), self._name)),
        }
        self._model = Lazily(self._load)

    @classmethod
    def from_uri(cls, uri: ModelUri, *, device: str, name: str) -> HfEncoder:
        """The encoder that an `hf:` URI means."""
        return cls(
            uri.path,
            revision=uri.revision,
            pooling=uri.options.get("pooling", "auto"),
            layer=uri.layer(),
            precision=uri.options.get("precision", "auto"),
            device=device,
            name=name,
            trust_remote_code=uri.is_trusted,
        )

    @property
    def name(self) -> str:
        """What the report calls the model."""
        return self._name

    @property
    def path(self) -> Path | None:
        """The folder; None for a name on the hub."""
        return self._given if self._given.is_dir() else None

    def digest(self) -> str:
        """Hash of config, weights, tokenizer and processor files, and of the options.

        A name on the hub is resolved to its snapshot first, which may download it.
        """
        folder = self._folder.get()
        files = folder.files()
        precision = chosen_precision(self._precision, chosen_device(self._device))
        names = ",".join(file.name for file in files)
        return digest_of(_VERSION, self._pooling, str(self._layer), precision, names, *files)

    def details(self) -> Mapping[str, str]:
        """The commit of a model from the hub, and the base model of an adapter."""
        folder = self._folder.get()
        known = {
            "revision": commit_of(folder.path),
            "base_model": None if folder.adapter is None else str(folder.path),
        }
        return {key: value for key, value in known.items() if value is not None}

    def cost(self, sample: Sample) -> int:
        """About how many tokens a text is; a constant for an image or sound."""
        return text_cost(sample) or IMAGE_COST

    def prepare(self, samples: Sequence[Any]) -> HfBatch:
        """Token ids and mask of texts; pixel values of images; waves or spectra of sounds."""
        modality = modality_of(samples[0])
        self._require_reader_of(modality)
        require_modality(samples, modality, self._name)
        with explained(self._name, "run"):
            if modality in TEXT_KINDS:
                return self._tokens(samples, modality)
            reader = self._readers[modality].get()
            return (image_batch if modality == "image" else audio_batch)(reader, samples)

    def forward(self, batch: HfBatch) -> Encoding:
        """Features (and logits) of a prepared batch."""
        model = self._model.get().part(batch.modality)
        device = chosen_device(self._device)
        with explained(self._name, "run"):
            encoding = in_token_budget(
                lambda part: self._encode(model, part, device), batch, device
            )
        return replace(encoding, n_cut=batch.n_cut)

    def trainable(self) -> TrainableModel:
        """The body of the model, read from its folder again, without its classifier."""
        body = self._load().body
        device = chosen_device(self._device)
        part = HfModel(body, body, False)
        layer = -1 if self._layer is None else self._layer
        return TrainableModel(
            self._name,
            body,
            device,
            self.prepare,
            lambda batch: by_equal_lengths(
                lambda b: self._layers(part.part(b.modality), b, layer, device)[0][0], batch
            ),
        )

    def language_model(self) -> HfLanguageModel | None:
        """The model with its language-model head, None without one; that of the features goes."""
        folder = self._folder.get()
        if (kind := head_kind(folder)) is None:
            return None
        tokenizer, device = self._readers["text"].get(), chosen_device(self._device)
        if kind == "masked" and tokenizer.mask_token_id is None:
            return None
        self.release()
        with explained(self._name, "loaded"):
            module = load_language_model(folder, kind, device, self._name)
        if module is None:
            return None
        precision = chosen_precision(self._precision, device)
        return HfLanguageModel(kind, module, device, precision, tokenizer, self._first_tokens)

    def release(self) -> None:
        """Drop the model; the small tokenizer stays."""
        self._model.drop()

    def _load(self) -> HfModel:
        folder = self._folder.get()
        with explained(self._name, "loaded"):
            model = load_model(folder, chosen_device(self._device), self._name)
        if model.no_pooler and self._pooling == "pooler":
            raise EncoderError(
                f"The pooler of `{self._name}` was never trained: {model.no_pooler}. Leave "
                f"`pooling` out, or use cls or mean."
            )
        if model.has_classifier and folder.has_tokenizer:
            # Classifiers of decoders look for the last token that is not this one.
            model.model.config.pad_token_id = self._readers["text"].get().pad_token_id
        return model

    def _require_reader_of(self, modality: Modality) -> None:
        folder = self._folder.get()
        reads = {
            "text": folder.has_tokenizer and not folder.has_audio_extractor,
            "image": folder.has_image_processor,
            "audio": folder.has_audio_extractor,
        }
        if reads.get("text" if modality in TEXT_KINDS else modality):
            return
        takes = [NOUNS[kind] for kind, is_read in reads.items() if is_read]
        if not takes:
            raise EncoderError(
                f"`{self._name}` has neither a tokenizer nor an image processor nor a feature "
                f"extractor; save it into the folder `{folder.path}` with `save_pretrained`."
            )
        raise EncoderError(f"`{self._name}` takes {' and '.join(takes)}; got {NOUNS[modality]}.")

    def _first_tokens(self, samples: Sequence[Any], most: int) -> HfBatch:
        return self._tokens(samples, modality_of(samples[0]), most)

    def _tokens(
        self, samples: Sequence[Any], modality: Modality, most: int | None = None
    ) -> HfBatch:
        tokenizer = self._readers["tokens" if modality == "tokens" else "text"].get()
        limit = self._folder.get().text_limit(tokenizer.model_max_length)
        limit = limit if most is None else min(limit, most)
        with self._tokenizing:
            return text_batch(tokenizer, samples, modality, limit, self._name)

    def _encode(self, model: HfModel, batch: HfBatch, device: str) -> Encoding:
        import torch

        precision = chosen_precision(self._precision, device)
        with torch.inference_mode(), autocast(precision, device):
            layers, logits = self._layers(model, batch, self._layer, device)
        return encoding_of_layers(layers, logits, self._name, word_mask=word_mask(batch))

    def _layers(
        self, model: HfModel, batch: HfBatch, layer: int | None, device: str
    ) -> tuple[list[Tensor], Tensor | None]:
        """Features of one layer or of all, and logits, in one pass; gradients flow if allowed."""
        inputs = {key: to_device(value, device) for key, value in batch.inputs.items()}
        with self._running:
            output, logits = model.run(inputs, hidden=layer != -1)
        pooler = Pooler(
            batch.modality,
            self._pooling_of(batch.modality),
            model.body,
            model.is_tower,
            inputs.get("attention_mask"),
            None if batch.words is None else to_device(batch.words, device),
            self._name,
        )
        return pooler.layers(output, layer), None if batch.modality == "tokens" else logits

    def _pooling_of(self, modality: Modality) -> str:
        folder = self._folder.get()
        stated = folder.sentence_pooling() if modality in ("text", "text_pair") else None
        return self._pooling if self._pooling != "auto" else stated or "auto"
