"""ModuleEncoder: any torch.nn.Module that the caller holds."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, Sequence
from threading import Lock
from typing import TYPE_CHECKING, Any

import numpy as np

from transferscore.encoders.digests import digest_of
from transferscore.encoders.encoder import IMAGE_COST, Batch, Encoding, Sample
from transferscore.encoders.loading import explained
from transferscore.encoders.module_hooks import watched_output
from transferscore.encoders.samples import (
    NOUNS,
    image_array,
    modality_of,
    require_modality,
    text_cost,
)
from transferscore.encoders.source_identity import function_identity, source_of
from transferscore.encoders.torch_inference import (
    chosen_device,
    encoding_of_tensors,
    evaluating,
    pooled_tensor,
)
from transferscore.encoders.trainable import TrainableModel
from transferscore.errors import EncoderError

if TYPE_CHECKING:
    from torch import Tensor, nn

__all__ = ["ModuleEncoder"]

_VERSION = "module 1"

Transform = Callable[[Any], Any]


class ModuleEncoder:
    """A `torch.nn.Module`, left as it was found: modes, gradients and device are put back.

    Features are the output of `layer`; without one, what goes into the last `nn.Linear` if its
    output is the module's (the classifier: then that output is the source logits), else the
    module's own output. `layer=""` is the module's own output in any case. A module may also
    return a pair (features, logits) or a mapping with `features` and perhaps `logits`. Outputs
    `(b, d, h, w)` are averaged over space, `(b, t, d)` over t.

    Args:
        module: The model.
        layer: Name of a submodule, as `named_modules` has it.
        transform: Makes one sample (PIL image, `str`, or array) the module's input: a tensor or
            array, or a mapping of them, passed by name. Those of a batch are stacked, so their
            shapes must agree. Without it, images go in as float32 `(3, h, w)` RGB in [0, 1] at
            their own size, arrays as float32, and text cannot be read.
        device: "auto", "cpu" or "cuda".
        name: What the report calls the model; its class otherwise.

    Raises:
        EncoderError: The module has no submodule of that name.
    """

    def __init__(
        self,
        module: nn.Module,
        *,
        layer: str | None = None,
        transform: Transform | None = None,
        device: str = "cpu",
        name: str | None = None,
    ) -> None:
        self._module = module
        self._layer = layer
        self._transform = transform
        self._device = device
        self._name = name or type(module).__name__
        # Its mode and hooks are the module's own: two threads would undo each other's.
        self._running = Lock()
        if layer is not None and layer not in dict(module.named_modules()):
            names = ", ".join(repr(key) for key, _ in list(module.named_modules())[:20])
            raise EncoderError(
                f"`layer` must name a submodule of `{self._name}`; got {layer!r}. It has {names}."
            )

    @property
    def name(self) -> str:
        """What the report calls the model."""
        return self._name

    def digest(self) -> str | None:
        """Hash of weights, structure, source code, layer and transform.

        None if the transform cannot be told from another: it is no plain function, or uses
        objects from outside itself.
        """
        identity = "" if self._transform is None else function_identity(self._transform)
        if identity is None:
            return None
        weights = (part for item in self._module.state_dict().items() for part in _bytes_of(*item))
        sources = _sources(self._module)
        return digest_of(
            _VERSION, repr(self._module), str(self._layer), identity, *sources, *weights
        )

    def cost(self, sample: Sample) -> int:
        """About how many tokens a text is; a constant for anything else."""
        return text_cost(sample) or IMAGE_COST

    def prepare(self, samples: Sequence[Sample]) -> Batch:
        """The module's input: a tensor, or a dict of tensors passed by name."""
        if self._transform is not None:
            return self._transformed(samples, self._transform)
        modality = modality_of(samples[0])
        require_modality(samples, modality, self._name)
        if modality not in ("image", "array"):
            sample = "`str`" if modality == "text" else "sample"
            raise EncoderError(
                f"`{self._name}` cannot read {NOUNS[modality]} by itself: pass `transform`, a "
                f"function from a {sample} to the module's input, as in ModuleEncoder(module, "
                f"transform=...)."
            )
        import torch

        if modality == "image":
            return torch.from_numpy(image_array(samples, None))
        return torch.from_numpy(_stacked(samples, self._name).astype(np.float32))

    def forward(self, batch: Batch) -> Encoding:
        """Features (and logits) of a prepared batch."""
        device = chosen_device(self._device)
        with self._running, explained(self._name, "run"), evaluating(self._module, device):
            features, logits = watched_output(
                self._module, _on_device(batch, device), self._layer, self._name
            )
            return encoding_of_tensors(features, logits, self._name)

    def trainable(self) -> TrainableModel:
        """A copy of the module; the caller's own stays as it is."""
        device = chosen_device(self._device)
        with explained(self._name, "copied"):
            module = copy.deepcopy(self._module).eval().float().to(device)

        def features(batch: Batch) -> Tensor:
            batch = _on_device(batch, device)
            found, _ = watched_output(module, batch, self._layer, self._name)
            return pooled_tensor(found, self._name)

        return TrainableModel(self._name, module, device, self.prepare, features)

    def release(self) -> None:
        """Nothing to give back: the module is the caller's."""

    def _transformed(self, samples: Sequence[Any], transform: Transform) -> Batch:
        images = [s.image() if modality_of(s) == "image" else s for s in samples]
        with explained(self._name, "given its input by `transform`"):
            inputs = [transform(sample) for sample in images]
        if isinstance(inputs[0], Mapping):
            return {key: _stack([item[key] for item in inputs], self._name) for key in inputs[0]}
        return _stack(inputs, self._name)


def _bytes_of(key: str, value: object) -> tuple[str | bytes, ...]:
    import torch

    if not isinstance(value, torch.Tensor):  # extra state, which may be anything
        return key, repr(value)
    flat = value.detach().cpu().contiguous().reshape(-1)
    return key, f"{value.dtype} {tuple(value.shape)}", flat.view(torch.uint8).numpy().tobytes()


def _sources(module: nn.Module) -> list[str]:
    """Source code of the classes that the caller wrote, in a fixed order."""
    classes = {type(part) for part in module.modules()}
    own = sorted((c for c in classes if not c.__module__.startswith("torch.")), key=repr)
    return [f"{c.__module__}.{c.__qualname__} {source_of(c)}" for c in own]


def _stacked(samples: Sequence[Any], name: str) -> np.ndarray[Any, Any]:
    try:
        return np.stack(samples)
    except ValueError:
        shapes = sorted({np.shape(sample) for sample in samples})
        raise EncoderError(
            f"The inputs of `{name}` must be of one shape; got {', '.join(map(str, shapes))}. "
            f"Make them so in `transform`."
        ) from None


def _stack(inputs: Sequence[Any], name: str) -> Tensor:
    import torch

    arrays = [
        item.numpy() if isinstance(item, torch.Tensor) else np.asarray(item) for item in inputs
    ]
    return torch.from_numpy(_stacked(arrays, name))


def _on_device(batch: Batch, device: str) -> Batch:
    if isinstance(batch, dict):
        return {key: value.to(device) for key, value in batch.items()}
    return batch.to(device)
