"""Loading a transformers model, and running body and classifier in one pass."""

from __future__ import annotations

import inspect
import threading
import warnings
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from transferscore.encoders.hf_adapter import auto_class_of, n_labels_of, with_adapter
from transferscore.encoders.hf_folder import ModelFolder
from transferscore.encoders.torch_inference import ready_on
from transferscore.errors import EncoderError, MissingExtraError

if TYPE_CHECKING:
    from torch import Tensor

__all__ = [
    "HfModel",
    "empty_model",
    "load_audio_extractor",
    "load_image_processor",
    "load_model",
    "load_tokenizer",
    "load_with_head",
    "quiet",
    "transformers_for",
]

Library = Any  # transformers, and what it makes: not imported, so not known to the type checker

# Verbosity and warning filters are global: two threads must not change and restore them at once.
_QUIET = threading.RLock()
# Weights that only training uses, or that are drawn at random where a checkpoint has none and then
# refused when they are asked for.
_WEIGHTS_NOT_USED = frozenset({"pooler", "mask_token", "masked_spec_embed"})
_CLASSIFIERS = {
    "image": ("ForImageClassification", "AutoModelForImageClassification"),
    "text": ("ForSequenceClassification", "AutoModelForSequenceClassification"),
    "audio": ("Classification", "AutoModelForAudioClassification"),
}


@dataclass(frozen=True, slots=True)
class HfModel:
    """A loaded model.

    Attributes:
        model: What is called.
        body: The part of it whose output is the features.
        has_classifier: Whether calling `model` gives logits.
        is_tower: Whether it is one of the two towers of a model such as CLIP.
        no_pooler: Why its `pooler_output` must not be used; "" where it may.
    """

    model: Any
    body: Any
    has_classifier: bool
    is_tower: bool = False
    no_pooler: str = ""

    def run(self, inputs: Mapping[str, Tensor], *, hidden: bool) -> tuple[Any, Tensor | None]:
        """The body's output and the classifier's logits, in one forward pass.

        Args:
            inputs: Tensors by the name of the argument; what the model does not take is left out.
            hidden: Whether the output of every layer is wanted.
        """
        taken = inspect.signature(self.model.forward).parameters
        arguments = {key: value for key, value in inputs.items() if key in taken}
        seen: list[Any] = []
        handle = self.body.register_forward_hook(lambda _module, _inputs, out: seen.append(out))
        try:
            output = self.model(**arguments, output_hidden_states=hidden)
        finally:
            handle.remove()
        return seen[-1], output.logits if self.has_classifier else None

    def part(self, modality: str) -> HfModel:
        """Of a model that reads text and images (CLIP), the tower for one of them."""
        tower = getattr(self.model, "vision_model" if modality == "image" else "text_model", None)
        return self if tower is None else HfModel(tower, tower, False, is_tower=True)


def load_model(folder: ModelFolder, device: str, name: str) -> HfModel:
    """Load the model, with its classifier if the folder has one; of a T5, the encoder.

    Raises:
        EncoderError: Weights of the body are not in the folder.
        MissingExtraError: transformers is not installed.
    """
    transformers = transformers_for(name)
    _refuse_remote_code(folder, transformers, name)
    if folder.adapter is not None:
        return _load_with_adapter(folder, folder.adapter, device, name)
    auto, is_classifier = transformers.AutoModel, False
    if not folder.config.get("is_encoder_decoder"):
        suffix, class_name = _CLASSIFIERS[folder.main_modality]
        if folder.architecture.endswith(suffix):
            auto, is_classifier = getattr(transformers, class_name), True
    model, report = _from_folder(auto, folder)
    if is_classifier and model.base_model is model:  # no body of its own to take features from
        model, report = _from_folder(transformers.AutoModel, folder)
        is_classifier = False
    is_pair = bool(model.config.is_encoder_decoder)
    _require_weights(report["missing_keys"], is_pair, name)
    if is_pair:
        model = model.get_encoder()
    model = ready_on(model, device)
    loaded = HfModel(model, model.base_model if is_classifier else model, is_classifier)
    return replace(loaded, no_pooler=_why_no_pooler(loaded.body, report["missing_keys"]))


def load_with_head(folder: ModelFolder, auto_class: str, device: str, name: str) -> Library | None:
    """The model as a class of transformers loads it; None where any of its weights is missing.

    Raises:
        EncoderError: The model needs code that is not trusted.
        MissingExtraError: transformers is not installed.
    """
    transformers = transformers_for(name)
    _refuse_remote_code(folder, transformers, name)
    model, report = _from_folder(getattr(transformers, auto_class), folder)
    return None if report["missing_keys"] else ready_on(model, device)


def empty_model(folder: ModelFolder, name: str) -> Library:
    """The network without weights, on PyTorch's "meta" device; of a T5, the encoder.

    Raises:
        EncoderError: The network needs code that is not trusted.
        MissingExtraError: transformers is not installed.
    """
    import torch

    transformers = transformers_for(name)
    _refuse_remote_code(folder, transformers, name)
    with quiet(), torch.device("meta"):
        config = transformers.AutoConfig.from_pretrained(str(folder.path), **_only_local(folder))
        model = transformers.AutoModel.from_config(config, trust_remote_code=folder.is_trusted)
    model = model.get_encoder() if config.is_encoder_decoder else model
    return model.eval()


def _load_with_adapter(folder: ModelFolder, adapter: Path, device: str, name: str) -> HfModel:
    """The base model, as the adapter was trained on it, with the adapter merged in."""
    auto = auto_class_of(adapter, transformers_for(name))
    n_labels = n_labels_of(adapter)
    options = {} if n_labels is None else {"num_labels": n_labels}
    model, report = _from_folder(auto, folder, ignore_mismatched_sizes=True, **options)
    with quiet():
        model = with_adapter(model, adapter, name)
    heads = {key for key in report["missing_keys"] if not key.startswith(_body_prefix(model))}
    is_pair = bool(model.config.is_encoder_decoder)
    _require_weights(report["missing_keys"] - heads, is_pair, name)
    model = model.get_encoder() if is_pair else model
    model = ready_on(model, device)
    is_classifier = n_labels is not None and model.base_model is not model and not is_pair
    body = model if is_pair else model.base_model
    return HfModel(model if is_classifier else body, body, is_classifier)


def _body_prefix(model: Library) -> str:
    """What the names of the body's weights begin with."""
    return "" if model.base_model is model else f"{model.base_model_prefix}."


def load_tokenizer(folder: ModelFolder, name: str, *, for_words: bool = False) -> Library:
    """The folder's tokenizer, padding on the right.

    Padding goes right whatever the folder says: then the position of a token is its place in the
    text, also in models that count positions from the left edge of the batch, and what follows a
    text is hidden from it by the attention mask or by causality. A tokenizer without a padding
    token pads with its end token.

    Args:
        folder: The model.
        name: What the report calls it.
        for_words: Whether it is to be given words: byte-level tokenizers then take a space to
            stand before the first of them too.
    """
    transformers = transformers_for(name)
    options = {"add_prefix_space": True} if for_words else {}
    with quiet():
        tokenizer = transformers.AutoTokenizer.from_pretrained(
            str(folder.tokenizer_path), **_only_local(folder), **options
        )
    tokenizer.padding_side = tokenizer.truncation_side = "right"
    if tokenizer.pad_token is None:
        tokenizer.pad_token = (
            tokenizer.eos_token or tokenizer.unk_token or tokenizer.convert_ids_to_tokens(0)
        )
    return tokenizer


def load_image_processor(folder: ModelFolder, name: str) -> Library:
    """The folder's image processor, on Pillow, so that torchvision changes no pixel."""
    transformers = transformers_for(name)
    with quiet():
        return transformers.AutoImageProcessor.from_pretrained(
            str(folder.path), backend="pil", **_only_local(folder)
        )


def load_audio_extractor(folder: ModelFolder, name: str) -> Library:
    """The folder's feature extractor for sounds."""
    transformers = transformers_for(name)
    with quiet():
        return transformers.AutoFeatureExtractor.from_pretrained(
            str(folder.path), **_only_local(folder)
        )


def transformers_for(name: str) -> Library:
    """The library, for the model called `name`.

    Raises:
        MissingExtraError: It is not installed.
    """
    try:
        import transformers
    except ImportError as error:
        raise MissingExtraError.of("transformers", "hf", f"The model `{name}`") from error
    return transformers


@contextmanager
def quiet() -> Iterator[None]:
    """Silence transformers' log, bars and warnings, and put everything back as it was."""
    import transformers.utils.logging

    logging: Library = transformers.utils.logging

    with _QUIET, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        verbosity, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
        logging.set_verbosity(logging.ERROR)
        logging.disable_progress_bar()
        try:
            yield
        finally:
            logging.set_verbosity(verbosity)
            if bars:
                logging.enable_progress_bar()


def _refuse_remote_code(folder: ModelFolder, transformers: Library, name: str) -> None:
    needs_code = folder.config.get("model_type") not in transformers.CONFIG_MAPPING
    if needs_code and folder.config.get("auto_map") and not folder.is_trusted:
        code = ", ".join(sorted(map(str, folder.config["auto_map"].values())))
        raise EncoderError(
            f"`{name}` needs code that comes with it ({code}), which is not run unless you trust "
            f"it: read that code, then name the model in `--trust-remote-code` or "
            f"`trust_remote_code=[...]`."
        )


def _only_local(folder: ModelFolder) -> dict[str, bool]:
    return {"local_files_only": True, "trust_remote_code": folder.is_trusted}


def _from_folder(
    auto: Library, folder: ModelFolder, **options: Any
) -> tuple[Library, Mapping[str, Any]]:
    with quiet():
        model, report = auto.from_pretrained(
            str(folder.path),
            use_safetensors=folder.uses_safetensors,
            output_loading_info=True,
            **_only_local(folder),
            **options,
        )
    return model, report


def _require_weights(missing: Iterable[str], is_pair: bool, name: str) -> None:
    """Weights that transformers did not find it draws at random, and says so only in its log."""
    lost = sorted(
        key
        for key in missing
        if not _WEIGHTS_NOT_USED & set(key.split(".")) and not (is_pair and "decoder" in key)
    )
    if lost:
        raise EncoderError(
            f"`{name}` lacks {len(lost)} of its model's weights (first: {lost[0]}), so its "
            f"features would be random. Check that `config.json` belongs to the weights."
        )


def _why_no_pooler(body: Any, missing: Iterable[str]) -> str:
    """Why the pooler's output means nothing; "" if it may be used."""
    if any("pooler" in key.split(".") for key in missing):
        return "its weights are not in the checkpoint, so they would be random"
    pooler = getattr(body, "pooler", None)
    biases = [] if pooler is None else _dense_biases(pooler)
    # Training moves every bias away from the zero at which all libraries begin.
    if biases and not any(bias.any() for bias in biases):
        return "its biases are exactly zero, as before the first step of training"
    return ""


def _dense_biases(module: Any) -> list[Any]:
    parts = [part for part in module.modules() if getattr(part, "weight", None) is not None]
    dense = [part for part in parts if part.weight.ndim == 2]
    return [part.bias for part in dense if getattr(part, "bias", None) is not None]
