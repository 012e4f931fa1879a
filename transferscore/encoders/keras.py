"""KerasEncoder: Keras 3 files, run on PyTorch."""

from __future__ import annotations

import json
import os
import re
import sys
import warnings
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from transferscore.encoders.digests import digest_of, existing_file
from transferscore.encoders.encoder import IMAGE_COST, Encoding, Sample
from transferscore.encoders.loading import Lazily, explained
from transferscore.encoders.model_input import ModelInput, input_batch
from transferscore.encoders.pooling import (
    in_fixed_batches,
    log_probabilities,
    pooled,
    require_one_of,
)
from transferscore.encoders.torch_inference import chosen_device
from transferscore.encoders.uri import ModelUri
from transferscore.errors import EncoderError, MissingExtraError

__all__ = ["KerasEncoder", "load_keras_model"]

_VERSION = "keras 1"
_WEIGHTS = "model.weights.h5"
# What pixels in [0, 1] are multiplied by and moved by.
_SCALES = {"1": (1.0, 0.0), "255": (255.0, 0.0), "-1": (2.0, -1.0)}

Library = Any  # keras, its models and layers


@dataclass(frozen=True, slots=True)
class _Loaded:
    """A model that gives features, and logits if there is a classifier.

    Attributes:
        model: The `keras.Model`.
        input: Its one input.
        has_logits: Whether a second output is the classifier's.
        are_probabilities: Whether that comes out of a softmax.
        scale: Factor and offset of pixels in [0, 1].
    """

    model: Library
    input: ModelInput
    has_logits: bool
    are_probabilities: bool
    scale: tuple[float, float]


class KerasEncoder:
    """A Keras 3 file: `keras:FILE.keras[?size=PIXELS&scale=255&pooling=...][#LAYER]`.

    Features are what goes into the last dense layer, which is the classifier, or the output of the
    layer named; a model that does not end in a dense layer gives its output. Nothing is
    unpickled and no code from the file is run.

    Args:
        path: The file.
        output: Name of the layer whose output is the features.
        size: Height and width of images, where the input leaves them open.
        scale: What the pixels of images are: "1" for [0, 1], "255" for [0, 255], "-1" for [-1, 1];
            None for [0, 255] if the model has a `Rescaling` or `Normalization` layer, else [0, 1].
        pooling: "mean", "cls" (the first), "last" or "max" over space or steps; "auto" is the mean.
        device: "auto", "cpu" or "cuda".
        name: What the report calls the model.

    Raises:
        EncoderError: There is no such scale or pooling.
    """

    def __init__(  # noqa: PLR0913 -- the options of the URI, each by name
        self,
        path: str | Path,
        *,
        output: str | None = None,
        size: int | None = None,
        scale: str | None = None,
        pooling: str = "auto",
        device: str = "auto",
        name: str | None = None,
    ) -> None:
        require_one_of(pooling)
        if scale is not None and scale not in _SCALES:
            raise EncoderError(f"`scale` must be one of {', '.join(_SCALES)}; got {scale!r}.")
        self._path = Path(path).expanduser()
        self._output, self._size, self._scale = output, size, scale
        self._pooling, self._device = pooling, device
        self._name = name or f"keras:{path}" + (f"#{output}" if output else "")
        self._loaded = Lazily(self._load)

    @classmethod
    def from_uri(cls, uri: ModelUri, *, device: str, name: str) -> KerasEncoder:
        """The encoder that a `keras:` URI means."""
        return cls(
            uri.path,
            output=uri.output,
            size=uri.integer("size"),
            scale=uri.options.get("scale"),
            pooling=uri.options.get("pooling", "auto"),
            device=device,
            name=name,
        )

    @property
    def name(self) -> str:
        """What the report calls the model."""
        return self._name

    def digest(self) -> str:
        """Hash of the network and weights in the file, and of the options.

        Not of the file's own bytes: it states when it was saved, and where objects lay in memory.
        """
        _refuse_other_formats(self._path, self._name)
        path = existing_file(self._path)
        options = f"{self._size} {self._scale} {self._pooling}"
        try:
            with zipfile.ZipFile(path) as archive:
                config, weights = (archive.read(name) for name in ("config.json", _WEIGHTS))
        except (zipfile.BadZipFile, KeyError):
            return digest_of(_VERSION, self._output, options, path)
        plain = re.sub(rb'"shared_object_id": \d+', b"", config)
        return digest_of(_VERSION, self._output, options, plain, weights)

    def input(self) -> ModelInput:
        """What the model takes."""
        return self._loaded.get().input

    def cost(self, sample: Sample) -> int:  # noqa: ARG002 -- all samples are of one size
        """A constant: every sample costs the same."""
        return IMAGE_COST

    def prepare(self, samples: Sequence[Any]) -> NDArray[Any]:
        """The model's input for the samples."""
        loaded = self._loaded.get()
        batch = input_batch(samples, loaded.input, self._name)
        factor, offset = loaded.scale
        is_image = loaded.input.is_image and not isinstance(samples[0], np.ndarray)
        if not is_image or batch.dtype.kind != "f" or (factor, offset) == (1.0, 0.0):
            return batch
        scaled: NDArray[Any] = batch * batch.dtype.type(factor) + batch.dtype.type(offset)
        return scaled

    def forward(self, batch: NDArray[Any]) -> Encoding:
        """Features (and logits) of a prepared batch."""
        loaded = self._loaded.get()
        with explained(self._name, "run"):
            return in_fixed_batches(
                lambda part: self._run(loaded, part), batch, loaded.input.shape[0]
            )

    def release(self) -> None:
        """Drop the model."""
        self._loaded.drop()

    def _run(self, loaded: _Loaded, part: NDArray[Any]) -> Encoding:
        import keras
        import torch

        with torch.inference_mode(), keras.device(chosen_device(self._device)):
            made = loaded.model(torch.from_numpy(part), training=False)
        outputs = made if loaded.has_logits else [made]
        features, *rest = [tensor.float().cpu().numpy() for tensor in outputs]
        rows = pooled(features, self._name, channels_last=True, pooling=self._pooling)
        if not rest:
            return Encoding(rows)
        return Encoding(rows, log_probabilities(rest[0]) if loaded.are_probabilities else rest[0])

    def _load(self) -> _Loaded:
        model = load_keras_model(self._path, chosen_device(self._device), self._name)
        with explained(self._name, "read"):
            return self._cut(model)

    def _cut(self, model: Library) -> _Loaded:
        """The model with features, and logits if there are some, as its outputs."""
        import keras

        size = None if self._size is None else (self._size, self._size)
        spec, classifier = _input_of(model, size, self._name), _classifier(model)
        if self._output is not None:
            features = _layer_output(model, self._output, self._name)
        else:
            features = model.outputs[0] if classifier is None else classifier.input
        has_logits = classifier is not None and _gives_logits(model, classifier)
        outputs = [features, model.outputs[0]] if has_logits else features
        return _Loaded(
            keras.Model(model.inputs[0], outputs),
            spec,
            has_logits,
            has_logits and _ends_in(model) == "softmax",
            _SCALES[self._scale or ("255" if _scales_pixels(model) else "1")],
        )


def load_keras_model(path: Path, device: str, name: str) -> Library:
    """The `keras.Model` in a file, without its optimiser.

    Raises:
        EncoderError: It is no Keras 3 file, or names code that is not Keras' own, or Keras is set
            to another backend than PyTorch.
        MissingExtraError: Keras is not installed.
    """
    _refuse_other_formats(path, name)
    existing_file(path)
    keras = _keras(name)
    with explained(name, "loaded"):
        _require_plain_config(path, name)
        with warnings.catch_warnings(), keras.device(device):
            warnings.simplefilter("ignore")
            return keras.saving.load_model(path, compile=False, safe_mode=True)


def _keras(name: str) -> Library:
    """Keras on PyTorch: it asks the environment which backend to use, once, when imported."""
    if "keras" not in sys.modules:
        os.environ["KERAS_BACKEND"] = "torch"
    try:
        import keras
    except ImportError as error:
        raise MissingExtraError.of("keras", "keras", f"The model `{name}`") from error
    if keras.backend.backend() != "torch":
        raise EncoderError(
            f"`{name}` needs Keras on PyTorch, and Keras was imported with the backend "
            f"{keras.backend.backend()!r}. Set KERAS_BACKEND=torch before it is imported."
        )
    return keras


def _refuse_other_formats(path: Path, name: str) -> None:
    if path.is_dir() and (path / "saved_model.pb").is_file():
        raise EncoderError(
            f"`{name}` is a TensorFlow SavedModel, which only TensorFlow can run. Convert it there "
            f"with `python -m tf2onnx.convert --saved-model {path} --output model.onnx`, then use "
            f"`onnx:model.onnx`; or save the model itself with `model.save('model.keras')`."
        )
    if path.suffix in (".h5", ".hdf5"):
        raise EncoderError(
            f"`{name}` is in the old HDF5 format, which may hold code. Load it where you trust it "
            f"and save it anew: `keras.saving.load_model('{path.name}').save('model.keras')`."
        )


def _require_plain_config(path: Path, name: str) -> None:
    """A config names the classes to make: only those of Keras itself are made."""
    with zipfile.ZipFile(path) as archive:
        config = json.loads(archive.read("config.json"))
    for module, class_name in _named_classes(config):
        if module is not None and module.partition(".")[0] != "keras":
            raise EncoderError(
                f"`{name}` needs the class {class_name!r} of {module!r}, which is not Keras' own, "
                f"and no code of others is run. Pass the loaded model as a function instead."
            )
        if class_name == "Lambda":
            raise EncoderError(
                f"`{name}` holds code in a Lambda layer, which is not run. Replace the layer, or "
                f"pass the loaded model as a function."
            )


def _named_classes(config: Any) -> Iterator[tuple[str | None, str]]:
    stack = [config]
    while stack:
        item = stack.pop()
        if isinstance(item, dict):
            if "class_name" in item:
                yield item.get("module"), str(item["class_name"])
            stack.extend(item.values())
        elif isinstance(item, list):
            stack.extend(item)


def _classifier(model: Library) -> Library | None:
    """The dense layer that ends the model, but for an activation; None if none does."""
    for layer in reversed(model.layers):
        kind = type(layer).__name__
        if kind == "Dense" and len(model.outputs) == 1 and len(model.layers) > 2:
            return layer
        if kind not in ("Activation", "Softmax"):
            return None
    return None


def _ends_in(model: Library) -> str:
    """Name of the function that the model's output comes out of."""
    last = model.layers[-1]
    if type(last).__name__ == "Softmax":
        return "softmax"
    return str(getattr(getattr(last, "activation", None), "__name__", ""))


def _gives_logits(model: Library, classifier: Library) -> bool:
    return classifier.units > 1 and _ends_in(model) in ("linear", "softmax")


def _layer_output(model: Library, layer: str, name: str) -> Any:
    names = [each.name for each in model.layers]
    if layer not in names:
        raise EncoderError(
            f"`{name}` has no layer named {layer!r}; its layers: {', '.join(names)}."
        )
    return model.get_layer(layer).output


def _input_of(model: Library, size: tuple[int, int] | None, name: str) -> ModelInput:
    if len(model.inputs) != 1:
        raise EncoderError(f"`{name}` must take one tensor; it takes {len(model.inputs)} inputs.")
    (tensor,) = model.inputs
    return ModelInput(tensor.name, tuple(tensor.shape), np.dtype(tensor.dtype), size)


def _scales_pixels(model: Library) -> bool:
    """Whether a layer of the model, or of a model inside it, brings pixels to its own range."""
    inner = [part for layer in model.layers for part in getattr(layer, "layers", [layer])]
    return any(type(part).__name__ in ("Rescaling", "Normalization") for part in inner)
