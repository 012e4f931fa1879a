"""TrainableModel: a pretrained model as a module with differentiable features."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from transferscore.encoders.encoder import Batch, Sample
from transferscore.encoders.hf_inputs import HfBatch
from transferscore.encoders.renamed import unwrapped
from transferscore.errors import EncoderError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from torch import Tensor, nn

__all__ = [
    "SometimesTrainable",
    "TrainableEncoder",
    "TrainableModel",
    "take_rows",
    "trainable_model",
    "why_untrainable",
]


@dataclass(frozen=True, slots=True)
class TrainableModel:
    """An independent copy of a model, to train or take gradients of as you like.

    Attributes:
        name: What the report calls the model.
        module: The model, in eval mode, float32, on `device`. A parameter requires a gradient if,
            and only if, the features depend on it (see `trainable_model`).
        device: Where the module is.
        prepare: The model's own input for some samples, as the encoder makes it.
        features: Differentiable features `(b, d)` of a prepared batch. They come from `module`, so
            layers that are replaced inside it take effect.
    """

    name: str
    module: nn.Module
    device: str
    prepare: Callable[[Sequence[Sample]], Batch]
    features: Callable[[Batch], Tensor]


@runtime_checkable
class TrainableEncoder(Protocol):
    """An encoder whose model can be trained."""

    def trainable(self) -> TrainableModel:
        """An independent copy of the model; the encoder itself never changes."""
        ...


@runtime_checkable
class SometimesTrainable(TrainableEncoder, Protocol):
    """An encoder whose model can be trained if it is of the right kind."""

    def why_untrainable(self) -> str:
        """Why it cannot, to end a sentence that begins with "it is"; empty where it can."""
        ...


def trainable_model(encoder: object, samples: Sequence[Sample]) -> TrainableModel:
    """The model of an encoder as something to train.

    Parameters that the features do not depend on (a classifier, a pooler, layers above the one
    that is read) are frozen, so that they are neither counted nor given to an optimiser.

    Args:
        encoder: Any encoder.
        samples: A few samples of the dataset, to see which parameters the features depend on.

    Raises:
        EncoderError: The model has no gradients; the message says why and what to use instead.
    """
    name = getattr(encoder, "name", str(encoder))
    encoder = unwrapped(encoder)
    reason = why_untrainable(encoder)
    if reason is not None or not isinstance(encoder, TrainableEncoder):
        raise EncoderError(
            f"`{name}` has no gradients: {reason}. "
            f"Use an `hf:` or `st:` folder, an `export:` program or a torch module to fine-tune it."
        )
    model = dataclasses.replace(encoder.trainable(), name=name)
    _freeze_unused(model, samples[:2])
    return model


def why_untrainable(encoder: object) -> str | None:
    """Why an encoder's model has no gradients, to end a sentence; None if it has."""
    inner = unwrapped(encoder)
    if isinstance(inner, SometimesTrainable):
        reason = inner.why_untrainable()
        return f"it is {reason}" if reason else None
    if isinstance(inner, TrainableEncoder):
        return None
    reasons = {
        "CallableEncoder": "it is a plain function",
        "KerasEncoder": "Keras computes with its weights in another layout than it keeps them in",
        "VectorsEncoder": "it is a table of word vectors, without a network",
        "FeaturesFile": "it is a file of features, without the model that made them",
    }
    return reasons.get(type(inner).__name__, "its adapter gives no trainable module")


def take_rows(batch: Batch, rows: NDArray[np.int64]) -> Batch:
    """Some rows of a prepared batch; padding that no taken row needs is cut off.

    Args:
        batch: A tensor, an array, a mapping of them, or a batch of transformers inputs.
        rows: `(r,)` positions.
    """
    if isinstance(batch, Mapping):
        taken = {key: value[rows] for key, value in batch.items()}
        return _without_padding(taken)
    if isinstance(batch, HfBatch):
        return batch.rows(rows)
    return batch[rows]


def _without_padding(inputs: dict[str, Any]) -> dict[str, Any]:
    mask = inputs.get("attention_mask")
    if mask is None or mask.ndim != 2:
        return inputs
    width = max(int(mask.sum(1).max()), 1)
    return {
        key: value[:, :width] if value.shape[:2] == mask.shape else value
        for key, value in inputs.items()
    }


def _freeze_unused(model: TrainableModel, samples: Sequence[Sample]) -> None:
    """Leave `requires_grad` on exactly for what the features depend on."""
    import torch

    named = [parameter for parameter in model.module.parameters() if parameter.is_floating_point()]
    for parameter in named:
        parameter.requires_grad_(True)
    with torch.enable_grad():
        total = model.features(model.prepare(samples)).sum()
        if not total.requires_grad:
            raise EncoderError(
                f"`{model.name}` has no gradients: its features do not depend on any parameter "
                f"of the module through PyTorch's autograd."
            )
        gradients = torch.autograd.grad(total, named, allow_unused=True)
    for parameter, gradient in zip(named, gradients, strict=True):
        parameter.requires_grad_(gradient is not None)
