"""HfEncoder: text and image models of the transformers library."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from transferscore.encoders.digests import digest_of
from transferscore.encoders.encoder import Encoding, Sample
from transferscore.encoders.hf_folder import find_folder
from transferscore.encoders.hf_model import (
    HfModel,
    load_image_processor,
    load_model,
    load_tokenizer,
)
from transferscore.encoders.hf_pooling import (
    hidden_layer,
    pool_image,
    pool_text,
    require_pooling,
)
from transferscore.encoders.loading import Lazily, explained
from transferscore.encoders.samples import modality_of, require_modality
from transferscore.encoders.torch_inference import (
    autocast,
    chosen_device,
    chosen_precision,
    encoding_of_tensors,
)
from transferscore.encoders.trainable import TrainableModel
from transferscore.encoders.uri import ModelUri
from transferscore.errors import EncoderError

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["HfEncoder"]

_VERSION = "hf 1"


@dataclass(frozen=True, slots=True)
class _Batch:
    """Model inputs by name, and what they were made from."""

    modality: str
    inputs: dict[str, NDArray[Any]]


class HfEncoder:
    """A transformers model: `hf:FOLDER_OR_NAME[@revision][?pooling=...&layer=...&precision=...]`.

    Weights come from safetensors (from `.bin` only where a folder has nothing else, without
    unpickling objects) and remote code is never run. The folder's own tokenizer or image processor
    is used; texts are cut to the model's longest. A folder of a `...ForImageClassification` or
    `...ForSequenceClassification` gives source logits in the same pass; of an encoder-decoder, the
    encoder alone is used.

    Args:
        model: A local folder or a name on the hub.
        revision: Branch, tag or commit on the hub.
        pooling: "mean", "cls" (first token), "last" (last token of the text), "max" or "auto". For
            text, auto is what a sentence-transformers folder states, else the mean; a text model's
            `pooler_output` is not used. For images it is what the classifier sees: the model's own
            plain pooling, else the CLS token, else the mean.
        layer: Hidden layer; -1 is the last, 0 the embeddings.
        precision: "float32", "bf16", "fp16" or "auto" (bf16 on a GPU that has it, else fp16). On a
            CPU it is float32 in every case.
        device: "auto", "cpu" or "cuda".
        name: What the report calls the model.

    Raises:
        EncoderError: There is no such pooling or precision.
    """

    def __init__(  # noqa: PLR0913 -- the options of the URI, each by name
        self,
        model: str,
        *,
        revision: str | None = None,
        pooling: str = "auto",
        layer: int = -1,
        precision: str = "auto",
        device: str = "auto",
        name: str | None = None,
    ) -> None:
        require_pooling(pooling)
        chosen_precision(precision, "cpu")
        self._pooling, self._layer, self._precision = pooling, layer, precision
        self._device = device
        self._name = name or f"hf:{model}" + (f"@{revision}" if revision else "")
        self._folder = Lazily(lambda: find_folder(str(model), revision, self._name))
        self._tokenizer = Lazily(lambda: load_tokenizer(self._folder.get(), self._name))
        self._processor = Lazily(lambda: load_image_processor(self._folder.get(), self._name))
        self._model = Lazily(self._load)

    @classmethod
    def from_uri(cls, uri: ModelUri, *, device: str, name: str) -> HfEncoder:
        """The encoder that an `hf:` URI means."""
        layer = uri.integer("layer")
        return cls(
            uri.path,
            revision=uri.revision,
            pooling=uri.options.get("pooling", "auto"),
            layer=-1 if layer is None else layer,
            precision=uri.options.get("precision", "auto"),
            device=device,
            name=name,
        )

    @property
    def name(self) -> str:
        """What the report calls the model."""
        return self._name

    def digest(self) -> str:
        """Hash of config, weights, tokenizer and processor files, and of the options.

        A name on the hub is resolved to its snapshot first, which may download it.
        """
        files = self._folder.get().files()
        precision = chosen_precision(self._precision, chosen_device(self._device))
        names = (str(file.relative_to(self._folder.get().path)) for file in files)
        return digest_of(
            _VERSION, self._pooling, str(self._layer), precision, ",".join(names), *files
        )

    def cost(self, sample: Sample) -> int:
        """Length of a text; 1 for an image."""
        return len(sample) if isinstance(sample, str) else 1

    def prepare(self, samples: Sequence[Any]) -> _Batch:
        """Token ids and mask of texts; pixel values of images."""
        modality = modality_of(samples[0])
        self._require_reader_of(modality)
        require_modality(samples, modality, self._name)
        if modality == "text":
            with explained(self._name, "run"):
                return _Batch("text", self._tokens(list(samples)))
        images = [sample.image() for sample in samples]
        with explained(self._name, "run"):
            pixels = self._processor.get()(images=images, return_tensors="np")
        return _Batch("image", {key: np.asarray(value) for key, value in pixels.items()})

    def forward(self, batch: _Batch) -> Encoding:
        """Features (and logits) of a prepared batch."""
        model = self._model.get().part(batch.modality)
        with explained(self._name, "run"):
            return self._encode(model, batch)

    def trainable(self) -> TrainableModel:
        """The body of the model, read from its folder again, without its classifier."""
        body = self._load().body
        device = chosen_device(self._device)
        part = HfModel(body, body, False)
        return TrainableModel(
            self._name,
            body,
            device,
            self.prepare,
            lambda batch: self._pooled(part.part(batch.modality), batch, device)[0],
        )

    def release(self) -> None:
        """Drop the model; the small tokenizer stays."""
        self._model.drop()

    def _load(self) -> HfModel:
        with explained(self._name, "loaded"):
            model = load_model(self._folder.get(), chosen_device(self._device), self._name)
        if model.has_classifier and self._folder.get().has_tokenizer:
            # Classifiers of decoders look for the last token that is not this one.
            model.model.config.pad_token_id = self._tokenizer.get().pad_token_id
        return model

    def _require_reader_of(self, modality: str) -> None:
        folder = self._folder.get()
        reads = {"text": folder.has_tokenizer, "image": folder.has_image_processor}
        if reads.get(modality):
            return
        takes = [
            noun
            for noun, is_read in zip(("text", "images"), reads.values(), strict=True)
            if is_read
        ]
        if not takes:
            raise EncoderError(
                f"`{self._name}` has neither a tokenizer nor an image processor; save them into "
                f"the folder `{folder.path}` with `save_pretrained`."
            )
        nouns = {"text": "text", "image": "images", "array": "arrays"}
        raise EncoderError(f"`{self._name}` takes {' and '.join(takes)}; got {nouns[modality]}.")

    def _tokens(self, texts: list[str]) -> dict[str, NDArray[Any]]:
        tokenizer = self._tokenizer.get()
        tokens = tokenizer(
            texts,
            padding=True,
            truncation=True,
            max_length=self._folder.get().text_limit(tokenizer.model_max_length),
            return_attention_mask=True,
            return_tensors="np",
        )
        arrays = {key: np.asarray(value, dtype=np.int64) for key, value in tokens.items()}
        return _with_a_token_each(arrays, int(tokenizer.pad_token_id))

    def _encode(self, model: HfModel, batch: _Batch) -> Encoding:
        import torch

        device = chosen_device(self._device)
        precision = chosen_precision(self._precision, device)
        with torch.inference_mode(), autocast(precision, device):
            features, logits = self._pooled(model, batch, device)
        return encoding_of_tensors(features, logits, self._name)

    def _pooled(self, model: HfModel, batch: _Batch, device: str) -> tuple[Tensor, Tensor | None]:
        """Features `(b, d)` and logits, with gradients where they are enabled."""
        import torch

        inputs = {key: torch.from_numpy(value).to(device) for key, value in batch.inputs.items()}
        output, logits = model.run(inputs, hidden=self._layer != -1)
        hidden = hidden_layer(output, self._layer, self._name).float()
        if batch.modality == "text":
            return pool_text(hidden, inputs["attention_mask"], self._text_pooling()), logits
        pooled_by = output if self._layer == -1 else None
        return pool_image(pooled_by, hidden, model.body, self._pooling), logits

    def _text_pooling(self) -> str:
        if self._pooling != "auto":
            return self._pooling
        return self._folder.get().sentence_pooling() or "mean"


def _with_a_token_each(tokens: dict[str, NDArray[Any]], pad_id: int) -> dict[str, NDArray[Any]]:
    """A text of no tokens (an empty one, to GPT-2) stands as one padding token that counts."""
    if tokens["attention_mask"].shape[1] == 0:
        shape = (len(tokens["attention_mask"]), 1)
        tokens = {key: np.zeros(shape, dtype=np.int64) for key in tokens}
        tokens["input_ids"] = np.full(shape, pad_id, dtype=np.int64)
    mask = tokens["attention_mask"]
    mask[mask.sum(1) == 0, 0] = 1
    return tokens
