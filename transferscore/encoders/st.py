"""SentenceEncoder: models of the sentence-transformers library, run as it runs them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from transferscore.encoders.digests import digest_of
from transferscore.encoders.encoder import IMAGE_COST, Encoding, Sample
from transferscore.encoders.hf_folder import commit_of, model_path
from transferscore.encoders.hf_model import quiet
from transferscore.encoders.loading import Lazily, explained
from transferscore.encoders.pairs import encode_pairs, texts_of_pairs
from transferscore.encoders.samples import NOUNS, Modality, modality_of, require_modality, text_cost
from transferscore.encoders.st_training import pair_tensor, sentence_features
from transferscore.encoders.token_budget import parts_of_like_length, token_budget
from transferscore.encoders.torch_inference import autocast, chosen_device, chosen_precision
from transferscore.encoders.trainable import TrainableModel
from transferscore.encoders.uri import ModelUri
from transferscore.errors import EncoderError, MissingExtraError

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["SentenceEncoder"]

_VERSION = "st 1"
_FILES = ("*.json", "*.txt", "*.model", "*/*.json", "*/*.txt", "*/*.model")
_WEIGHTS = ("*.safetensors", "*/*.safetensors")
_OLD_WEIGHTS = ("pytorch_model*.bin", "*/pytorch_model*.bin")
_OTHER_RUNTIMES = ("onnx/*", "openvino/*")

Library = Any  # a `SentenceTransformer`


@dataclass(frozen=True, slots=True)
class _Batch:
    modality: Modality
    texts: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.texts) // (2 if self.modality == "text_pair" else 1)

    def __getitem__(self, rows: NDArray[np.int64]) -> _Batch:
        """The batch of these samples only."""
        if self.modality == "text_pair":
            rows = np.concatenate([rows, rows + len(self)])
        return _Batch(self.modality, tuple(self.texts[row] for row in rows))


class SentenceEncoder:
    """A sentence-transformers model: `st:FOLDER_OR_NAME[@revision][?prompt=NAME&precision=...]`.

    Its own pooling, prompts and normalisation make the features: they are what `encode` of the
    library gives. Two texts are told by |u - v| and u * v of their features u and v. Words have no
    features of their own here: use `hf:` for them.

    Args:
        model: A local folder or a name on the hub.
        revision: Branch, tag or commit on the hub.
        prompt: Name of one of the model's prompts; its default prompt, if it has one, otherwise.
        precision: As of `hf:`.
        device: "auto", "cpu" or "cuda".
        name: What the report calls the model.
        trust_remote_code: Whether code that comes with the model may be run.

    Raises:
        EncoderError: There is no such precision.
    """

    def __init__(  # noqa: PLR0913 -- the options of the URI, each by name
        self,
        model: str,
        *,
        revision: str | None = None,
        prompt: str | None = None,
        precision: str = "auto",
        device: str = "auto",
        name: str | None = None,
        trust_remote_code: bool = False,
    ) -> None:
        chosen_precision(precision, "cpu")
        self._prompt, self._precision, self._device = prompt, precision, device
        self._name = name or f"st:{model}" + (f"@{revision}" if revision else "")
        self._is_trusted = trust_remote_code
        self._path = Lazily(lambda: self._find(model, revision))
        self._model = Lazily(self._load)
        self._running = Lock()

    @classmethod
    def from_uri(cls, uri: ModelUri, *, device: str, name: str) -> SentenceEncoder:
        """The encoder that an `st:` URI means."""
        return cls(
            uri.path,
            revision=uri.revision,
            prompt=uri.options.get("prompt"),
            precision=uri.options.get("precision", "auto"),
            device=device,
            name=name,
            trust_remote_code=uri.is_trusted,
        )

    @property
    def name(self) -> str:
        """What the report calls the model."""
        return self._name

    def digest(self) -> str:
        """Hash of all files of the model, and of the options."""
        path = self._path.get()
        patterns = (*_FILES, *(_WEIGHTS if _has_safetensors(path) else _OLD_WEIGHTS))
        files = sorted({file for pattern in patterns for file in path.glob(pattern)})
        kept = [file for file in files if file.parent.name not in ("onnx", "openvino")]
        names = ",".join(str(file.relative_to(path)) for file in kept)
        precision = chosen_precision(self._precision, chosen_device(self._device))
        return digest_of(_VERSION, self._prompt, precision, names, *kept)

    def details(self) -> Mapping[str, str]:
        """The commit of a model from the hub."""
        commit = commit_of(self._path.get())
        return {} if commit is None else {"revision": commit}

    def cost(self, sample: Sample) -> int:
        """About how many tokens a text is."""
        return text_cost(sample) or IMAGE_COST

    def prepare(self, samples: Sequence[Any]) -> _Batch:
        """The texts; of pairs, all first and then all second ones."""
        modality = modality_of(samples[0])
        if modality not in ("text", "text_pair"):
            hint = " Use the model's `hf:` folder for words." if modality == "tokens" else ""
            raise EncoderError(f"`{self._name}` takes text; got {NOUNS[modality]}.{hint}")
        require_modality(samples, modality, self._name)
        texts = texts_of_pairs(samples) if modality == "text_pair" else samples
        return _Batch(modality, tuple(texts))

    def forward(self, batch: _Batch) -> Encoding:
        """Features of a prepared batch."""
        with explained(self._name, "run"):
            if batch.modality == "text_pair":
                return encode_pairs(self._encode, batch.texts)
            return self._encode(batch.texts)

    def trainable(self) -> TrainableModel:
        """The model, read from its folder again."""
        model, device = self._load(), chosen_device(self._device)
        empty, encode = _stand_in(model), sentence_features(model, self._prompt, device, self._name)

        def features(batch: _Batch) -> Tensor:
            made = encode([text if text.strip() else empty for text in batch.texts])
            return pair_tensor(made) if batch.modality == "text_pair" else made

        return TrainableModel(self._name, model, device, self.prepare, features)

    def release(self) -> None:
        """Drop the model."""
        self._model.drop()

    def _encode(self, texts: Sequence[str]) -> Encoding:
        model, device = self._model.get(), chosen_device(self._device)
        longest = int(model.get_max_seq_length() or 512)
        lengths = np.array([min(text_cost(text), longest) for text in texts])
        parts = parts_of_like_length(lengths, token_budget(device))
        features = []
        # A fast tokenizer refuses two threads at once.
        with self._running, autocast(chosen_precision(self._precision, device), device):
            empty = _stand_in(model)
            for rows in parts:
                chosen = [texts[row] if texts[row].strip() else empty for row in rows]
                features.append(
                    model.encode(
                        chosen,
                        prompt_name=self._prompt,
                        batch_size=len(chosen),
                        show_progress_bar=False,
                    )
                )
            n_cut = sum(_is_cut(model, text, longest) for text in texts)
        back = np.argsort(np.concatenate(parts))
        together = np.concatenate(features).astype(np.float32, copy=False)
        return Encoding(together[back], n_cut=n_cut)

    def _find(self, model: str, revision: str | None) -> Path:
        return model_path(
            model,
            revision,
            self._name,
            patterns=(*_FILES, "README.md", *(["*.py"] if self._is_trusted else [])),
            weights=_WEIGHTS,
            old_weights=_OLD_WEIGHTS,
            ignored=_OTHER_RUNTIMES,
        )

    def _load(self) -> Library:
        try:
            import sentence_transformers
        except ImportError as error:
            purpose = f"The model `{self._name}`"
            raise MissingExtraError.of("sentence-transformers", "st", purpose) from error
        path = self._path.get()
        if not self._is_trusted:
            _refuse_own_modules(path, self._name)
        with explained(self._name, "loaded"), quiet():
            model = sentence_transformers.SentenceTransformer(
                str(path),
                device=chosen_device(self._device),
                local_files_only=True,
                trust_remote_code=self._is_trusted,
                model_kwargs={"use_safetensors": True} if _has_safetensors(path) else None,
            )
        if self._prompt is not None and self._prompt not in model.prompts:
            known = ", ".join(model.prompts) or "none"
            raise EncoderError(
                f"`{self._name}` has no prompt named {self._prompt!r}; its prompts: {known}."
            )
        return model.float().eval()


def _stand_in(model: Library) -> str:
    """What is encoded for an empty text: one padding token, where it would be no token at all."""
    tokenizer = getattr(model, "tokenizer", None)
    if tokenizer is None or len(tokenizer("")["input_ids"]) > 0:
        return ""
    return str(tokenizer.pad_token or tokenizer.unk_token or tokenizer.eos_token or "")


def _is_cut(model: Library, text: str, longest: int) -> bool:
    """Whether a text has more tokens than the model reads; most are too short to need counting."""
    if len(text) <= longest or getattr(model, "tokenizer", None) is None:
        return False
    return len(model.tokenizer(text, truncation=False, verbose=False)["input_ids"]) > longest


def _has_safetensors(path: Path) -> bool:
    return any(any(path.glob(pattern)) for pattern in _WEIGHTS)


def _refuse_own_modules(path: Path, name: str) -> None:
    file = path / "modules.json"
    with explained(name, "read"):
        modules = json.loads(file.read_text(encoding="utf-8")) if file.is_file() else []
    own = [m["type"] for m in modules if not m["type"].startswith("sentence_transformers.")]
    if own:
        raise EncoderError(
            f"`{name}` needs code that comes with it ({', '.join(own)}), which is not run unless "
            f"you trust it: read that code, then name the model in `--trust-remote-code` or "
            f"`trust_remote_code=[...]`."
        )
