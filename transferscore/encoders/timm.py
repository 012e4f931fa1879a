"""TimmEncoder: image models of the timm library, with its own data config and transforms."""

from __future__ import annotations

import importlib.metadata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from transferscore.encoders.digests import digest_of
from transferscore.encoders.encoder import IMAGE_COST, Encoding, Sample
from transferscore.encoders.hf_folder import commit_of, model_path
from transferscore.encoders.hf_model import quiet
from transferscore.encoders.loading import Lazily, explained
from transferscore.encoders.pooling import POOLINGS, require_one_of
from transferscore.encoders.samples import require_modality
from transferscore.encoders.torch_inference import (
    autocast,
    chosen_device,
    chosen_precision,
    encoding_of_layers,
    ready_on,
    to_device,
)
from transferscore.encoders.uri import ModelUri
from transferscore.errors import EncoderError, MissingExtraError

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["TimmEncoder", "timm_for"]

_VERSION = "timm 1"

Library = Any  # timm, and its models


@dataclass(frozen=True, slots=True)
class _Loaded:
    model: Library
    transform: Any


class TimmEncoder:
    """A timm model: `timm:FOLDER_OR_NAME[@revision][?layer=...&pooling=...&precision=...]`.

    A name is that of a model on the hub (`timm/resnet18.a1_in1k`, of which `resnet18.a1_in1k` is
    short). Weights come from safetensors, or as plain tensors. The features are what the model's
    own classifier sees, and its output the source logits.

    Args:
        model: A local folder with `config.json` and weights, or a name.
        revision: Branch, tag or commit on the hub.
        pooling: "auto" for the model's own, or "mean", "max", "cls" (first token) or "last".
        layer: Block or stage from 0; -1 is the last; None for all of them in one pass.
        precision: As of `hf:`.
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
        layer: int | None = -1,
        precision: str = "auto",
        device: str = "auto",
        name: str | None = None,
    ) -> None:
        require_one_of(pooling, POOLINGS)
        chosen_precision(precision, "cpu")
        self._pooling, self._layer, self._precision = pooling, layer, precision
        self._device = device
        self._name = name or f"timm:{model}" + (f"@{revision}" if revision else "")
        self._path = Lazily(lambda: timm_folder(model, revision, self._name))
        self._loaded = Lazily(self._load)

    @classmethod
    def from_uri(cls, uri: ModelUri, *, device: str, name: str) -> TimmEncoder:
        """The encoder that a `timm:` URI means."""
        return cls(
            uri.path,
            revision=uri.revision,
            pooling=uri.options.get("pooling", "auto"),
            layer=uri.layer(),
            precision=uri.options.get("precision", "auto"),
            device=device,
            name=name,
        )

    @property
    def name(self) -> str:
        """What the report calls the model."""
        return self._name

    def digest(self) -> str:
        """Hash of config and weights, and of the options."""
        path = self._path.get()
        weights = sorted(path.glob("*.safetensors")) or sorted(path.glob("*.bin"))
        precision = chosen_precision(self._precision, chosen_device(self._device))
        options = f"{self._pooling} {self._layer} {precision}"
        return digest_of(_VERSION, options, path / "config.json", *weights)

    def details(self) -> Mapping[str, str]:
        """The commit of a model from the hub."""
        commit = commit_of(self._path.get())
        return {} if commit is None else {"revision": commit}

    def cost(self, sample: Sample) -> int:  # noqa: ARG002 -- all samples are of one size
        """A constant: every image costs the same."""
        return IMAGE_COST

    def prepare(self, samples: Sequence[Any]) -> NDArray[np.float32]:
        """Images `(b, 3, h, w)`, as timm's own transform for evaluation makes them."""
        require_modality(samples, "image", self._name)
        transform = self._loaded.get().transform
        images = [sample.image() for sample in samples]
        with explained(self._name, "given its input"):
            return np.stack([transform(image).numpy() for image in images])

    def forward(self, batch: NDArray[np.float32]) -> Encoding:
        """Features and logits of a prepared batch."""
        import torch

        model, device = self._loaded.get().model, chosen_device(self._device)
        precision = chosen_precision(self._precision, device)
        with (
            explained(self._name, "run"),
            torch.inference_mode(),
            autocast(precision, device),
        ):
            layers, logits = self._layers(model, to_device(batch, device))
            return encoding_of_layers(layers, logits, self._name)

    def release(self) -> None:
        """Drop the model; the next batch loads it again."""
        self._loaded.drop()

    def _layers(self, model: Library, images: Tensor) -> tuple[list[Tensor], Tensor | None]:
        if self._layer == -1:
            states, inner = model.forward_features(images), []
        else:
            states, inner = model.forward_intermediates(images, output_fmt="NCHW")
        before = model.forward_head(states, pre_logits=True)
        logits = model.forward_head(states) if model.num_classes > 1 else None
        last = before if self._pooling == "auto" else self._pooled(model, states)
        if self._layer == -1:
            return [last], logits
        layers = [*(_pooled_map(state, self._pooling) for state in inner[:-1]), last]
        if self._layer is None:
            return layers, logits
        if not -len(layers) <= self._layer < len(layers):
            raise EncoderError(
                f"`layer` of `{self._name}` must be between {-len(layers)} and {len(layers) - 1}; "
                f"got {self._layer}."
            )
        return [layers[self._layer]], logits

    def _pooled(self, model: Library, states: Tensor) -> Tensor:
        if states.ndim == 3:
            prefix = int(getattr(model, "num_prefix_tokens", 0))
            if self._pooling in ("cls", "last"):
                return states[:, 0 if self._pooling == "cls" else -1]
            tokens = states[:, prefix:]
            return tokens.amax(1) if self._pooling == "max" else tokens.mean(1)
        is_last = getattr(model, "output_fmt", "NCHW") == "NHWC"
        return _pooled_map(states.permute(0, 3, 1, 2) if is_last else states, self._pooling)

    def _load(self) -> _Loaded:
        timm, path = timm_for(self._name), self._path.get()
        with explained(self._name, "loaded"), quiet():
            model = timm.create_model(f"local-dir:{path}", pretrained=True)
            config = timm.data.resolve_model_data_config(model)
            transform = timm.data.create_transform(**config, is_training=False)
            return _Loaded(ready_on(model, chosen_device(self._device)), transform)


def timm_for(name: str) -> Library:
    """The library, for the model called `name`.

    Raises:
        MissingExtraError: It is not installed.
        EncoderError: It is, and the installed torchvision does not match torch.
    """
    try:
        import timm
        import timm.data
    except ImportError as error:
        if error.name in ("timm", "timm.data", None) and not _version("timm"):
            raise MissingExtraError.of("timm", "timm", f"The model `{name}`") from error
        raise _mismatch(name, error) from error
    except RuntimeError as error:
        raise _mismatch(name, error) from error
    return timm


def timm_folder(model: str, revision: str | None, name: str, *, with_weights: bool = True) -> Path:
    """The folder of a timm model.

    Raises:
        EncoderError: There is none.
    """
    hub_name = model if "/" in model or Path(model).is_dir() else f"timm/{model}"
    return model_path(
        hub_name,
        revision,
        name,
        patterns=("config.json", "README.md"),
        weights=["*.safetensors"] if with_weights else [],
        old_weights=["*.bin"] if with_weights else [],
    )


def _pooled_map(states: Tensor, pooling: str) -> Tensor:
    """`(b, d)` of `(b, d, h, w)`."""
    flat = states.flatten(2)
    if pooling in ("cls", "last"):
        return flat[:, :, 0 if pooling == "cls" else -1]
    return flat.amax(-1) if pooling == "max" else flat.mean(-1)


def _mismatch(name: str, error: Exception) -> EncoderError:
    torchvision, torch = _version("torchvision"), _version("torch")
    found = f"torchvision {torchvision}" if torchvision else "no torchvision"
    return EncoderError(
        f"`{name}` needs timm, which cannot be imported because there is {found} beside torch "
        f"{torch} ({' '.join(str(error).split())}). Install the torchvision that was built for "
        f"your torch: see https://pytorch.org/get-started."
    )


def _version(package: str) -> str:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return ""
