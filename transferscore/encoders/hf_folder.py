"""A transformers folder on disk: where it is, what it holds, what it says of itself."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from transferscore.errors import EncoderError, MissingExtraError
from transferscore.wording import one_line

__all__ = ["ModelFolder", "commit_of", "find_folder", "is_offline", "model_path"]

_TOKENIZER_FILES = (
    "tokenizer.json",
    "tokenizer_config.json",
    "vocab.txt",
    "vocab.json",
    "spiece.model",
    "sentencepiece.bpe.model",
    "tokenizer.model",
)
_TEXT_FILES = ("*.json", "*.txt", "*.model", "1_Pooling/config.json")
_SENTENCE_POOLING = {
    "pooling_mode_cls_token": "cls",
    "pooling_mode_mean_tokens": "mean",
    "pooling_mode_max_tokens": "max",
    "pooling_mode_lasttoken": "last",
}
_ADAPTER_CONFIG = "adapter_config.json"
_ADAPTER_SUFFIXES = frozenset({".safetensors", ".bin", ".json", ".txt", ".model"})
_COMMIT = re.compile(r"[0-9a-f]{40}")
# Models whose position ids start after that of the padding token.
_OFFSET_POSITIONS = frozenset(
    {"camembert", "data2vec-text", "longformer", "mpnet", "roberta", "xlm-roberta", "xmod"}
)
_LONGEST_UNSTATED = 512


@dataclass(frozen=True, slots=True)
class ModelFolder:
    """A folder as `save_pretrained` writes it.

    Attributes:
        path: The folder.
        config: What its `config.json` says.
        is_trusted: Whether code that comes with the model may be run.
        adapter: A folder of a PEFT adapter of the model, if there is one.
    """

    path: Path
    config: Mapping[str, Any]
    is_trusted: bool = False
    adapter: Path | None = None

    @property
    def tokenizer_path(self) -> Path:
        """Where its tokenizer is: with the adapter, if that has one of its own."""
        has_own = self.adapter is not None and _has_tokenizer(self.adapter)
        return self.adapter if has_own and self.adapter is not None else self.path

    @property
    def main_modality(self) -> Literal["image", "audio", "text"]:
        """What it reads first of all: "image", "audio" or "text"."""
        if self.has_audio_extractor:
            return "audio"
        return "image" if self.has_image_processor and not self.has_tokenizer else "text"

    @property
    def has_tokenizer(self) -> bool:
        """Whether it reads text."""
        return _has_tokenizer(self.tokenizer_path)

    @property
    def has_image_processor(self) -> bool:
        """Whether it reads images (a processor of sound has a sampling rate)."""
        described = self._processor()
        return bool(described) and "sampling_rate" not in described

    @property
    def has_audio_extractor(self) -> bool:
        """Whether it reads sounds."""
        return "sampling_rate" in self._processor()

    @property
    def uses_safetensors(self) -> bool:
        """Whether its weights are in safetensors files."""
        return any(self.path.glob("*.safetensors"))

    @property
    def architecture(self) -> str:
        """The class that wrote it, such as "BertForSequenceClassification"; "" if not said."""
        return str((self.config.get("architectures") or [""])[0])

    def files(self) -> list[Path]:
        """All files that change the numbers, in a fixed order."""
        weights = "*.safetensors" if self.uses_safetensors else "*.bin"
        patterns = (*_TEXT_FILES, weights, *(["*.py"] if self.is_trusted else []))
        own = {file for pattern in patterns for file in self.path.glob(pattern)}
        adapter = {} if self.adapter is None else {*self.adapter.glob("*")}
        return [*sorted(own), *sorted(file for file in adapter if file.suffix in _ADAPTER_SUFFIXES)]

    def sentence_pooling(self) -> str | None:
        """The pooling that a sentence-transformers folder states."""
        described = self._json("1_Pooling/config.json")
        stated = [how for key, how in _SENTENCE_POOLING.items() if described.get(key)]
        return stated[0] if len(stated) == 1 else None

    def text_limit(self, tokenizer_limit: int) -> int:
        """Most tokens of a text: the least of what tokenizer, positions and folder state.

        A model that states none (relative positions have no end) is given 512.
        """
        limits = [tokenizer_limit, self._json("sentence_bert_config.json").get("max_seq_length")]
        positions = self.config.get("max_position_embeddings") or self.config.get("n_positions")
        if positions and self.config.get("model_type") in _OFFSET_POSITIONS:
            positions -= (self.config.get("pad_token_id") or 0) + 1
        stated = [limit for limit in (*limits, positions) if limit and 0 < limit < 10**9]
        return min(stated, default=_LONGEST_UNSTATED)

    def _processor(self) -> Mapping[str, Any]:
        described = self._json("preprocessor_config.json") or self._json("processor_config.json")
        parts = (described.get(key) for key in ("image_processor", "feature_extractor"))
        return next((part for part in parts if part), described)

    def _json(self, file: str) -> dict[str, Any]:
        path = self.path / file
        return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}


def is_offline() -> bool:
    """Whether the environment forbids looking a model up on the hub."""
    switches = (os.environ.get(name, "") for name in ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE"))
    return any(value.upper() in {"1", "ON", "YES", "TRUE"} for value in switches)


def find_folder(
    model: str,
    revision: str | None,
    name: str,
    *,
    is_trusted: bool = False,
    with_weights: bool = True,
) -> ModelFolder:
    """The folder of a model: `model` itself, or its snapshot from the hub.

    A folder of a PEFT adapter gives the folder of its base model, with the adapter.

    Args:
        model: A local folder, or a name on the hub.
        revision: Branch, tag or commit on the hub; None for its default branch.
        name: What the report calls the model.
        is_trusted: Whether code that comes with the model may be run.
        with_weights: Whether the weights of a name on the hub are fetched too.

    Raises:
        EncoderError: There is no such folder or model, or it has no readable `config.json`.
        MissingExtraError: A hub name, and transformers is not installed.
    """
    path = model_path(
        model,
        revision,
        name,
        patterns=(*_TEXT_FILES, "README.md", *(["*.py"] if is_trusted else [])),
        weights=["*.safetensors"] if with_weights else [],
        old_weights=["*.bin"] if with_weights else [],
        ignored=["*/*.safetensors", "*/*.bin"],
    )
    if (path / _ADAPTER_CONFIG).is_file() and not (path / "config.json").is_file():
        return _with_adapter(path, name, is_trusted, with_weights)
    return ModelFolder(path, _config(path, "config.json", name), is_trusted)


def _with_adapter(adapter: Path, name: str, is_trusted: bool, with_weights: bool) -> ModelFolder:
    config = _config(adapter, _ADAPTER_CONFIG, name)
    base = str(config.get("base_model_name_or_path") or "")
    if not base:
        raise EncoderError(
            f"`{name}` is a PEFT adapter whose `{_ADAPTER_CONFIG}` does not name its base model; "
            f"set `base_model_name_or_path`."
        )
    beside = adapter / base
    folder = find_folder(
        str(beside) if beside.is_dir() else base,
        config.get("revision"),
        name,
        is_trusted=is_trusted,
        with_weights=with_weights,
    )
    return replace(folder, adapter=adapter)


def _config(path: Path, file: str, name: str) -> Mapping[str, Any]:
    try:
        config: Mapping[str, Any] = json.loads((path / file).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise EncoderError(
            f"`{name}` must be a transformers folder with a readable `{file}`: {error}."
        ) from error
    return config


def _has_tokenizer(path: Path) -> bool:
    return any((path / file).is_file() for file in _TOKENIZER_FILES)


def model_path(  # noqa: PLR0913 -- what is fetched, each kind of file by name
    model: str,
    revision: str | None,
    name: str,
    *,
    patterns: Sequence[str],
    weights: Sequence[str],
    old_weights: Sequence[str],
    ignored: Sequence[str] = (),
) -> Path:
    """A local folder, or the snapshot of a name on the hub.

    Args:
        model: The folder or name.
        revision: Branch, tag or commit on the hub; None for its default branch.
        name: What the report calls the model.
        patterns: Small files to fetch.
        weights: Files of weights to fetch.
        old_weights: Those to fetch where there are none of `weights`.
        ignored: What not to fetch though a pattern matches.

    Raises:
        EncoderError: There is no such folder or model.
        MissingExtraError: A hub name, and huggingface_hub is not installed.
    """
    local = Path(model).expanduser()
    if local.is_dir():
        return local
    if model.startswith(("/", "./", "../", "~")):
        raise EncoderError(f"There is no folder `{local}`; check the path of the model.")
    try:
        import huggingface_hub
    except ImportError as error:
        raise MissingExtraError.of("transformers", "hf", f"The model `{name}`") from error

    def fetch(*wanted: str) -> Path:
        folder = huggingface_hub.snapshot_download(
            model,
            revision=revision,
            allow_patterns=list(wanted),
            ignore_patterns=list(ignored),
            local_files_only=is_offline(),
        )
        return Path(folder)

    try:
        path = fetch(*patterns, *weights)
        has_weights = any(any(path.glob(pattern)) for pattern in weights)
        return path if has_weights or not old_weights else fetch(*patterns, *old_weights)
    except Exception as error:  # the hub client has no common base for what can go wrong
        where = "in the local cache (offline)" if is_offline() else "on the Hugging Face hub"
        reason = one_line(error)[:300]
        raise EncoderError(
            f"`{name}` is neither a local folder nor to be had {where}: {reason}"
        ) from error


def commit_of(path: Path) -> str | None:
    """The commit on the hub that a snapshot is of; None for a folder that is no snapshot."""
    is_snapshot = path.parent.name == "snapshots" and _COMMIT.fullmatch(path.name)
    return path.name if is_snapshot else None
