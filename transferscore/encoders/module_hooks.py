"""Watching a module run: the output of one layer, and whether a classifier ends it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from transferscore.encoders.encoder import Batch
from transferscore.encoders.torch_inference import features_and_logits
from transferscore.errors import EncoderError

if TYPE_CHECKING:
    from torch import Tensor, nn

__all__ = ["watched_output"]


@dataclass(slots=True)
class _Seen:
    """What the hooks saw: one layer's output, and the last linear layer that ran."""

    layer: Any = None
    linear_input: Any = None
    linear_output: Any = None


def watched_output(
    module: nn.Module,
    batch: Batch,
    layer: str | None,
    name: str,
) -> tuple[Tensor, Tensor | None]:
    """Run the module once and take features and logits from it.

    Args:
        module: The model.
        batch: A tensor, or a dict of tensors passed by name.
        layer: Submodule whose output is the features; None to find the classifier's input.
        name: What the report calls the model.

    Raises:
        EncoderError: The layer did not run, or what came out is not features.
    """
    with _watching(module, layer) as seen:
        output = module(**batch) if isinstance(batch, dict) else module(batch)
    ends_linear = seen.linear_output is not None and seen.linear_output is output
    if layer is None:
        if ends_linear:
            return seen.linear_input, output
        return features_and_logits(output, None, name)
    if seen.layer is None:
        raise EncoderError(f"The layer {layer!r} of `{name}` does not run in its forward pass.")
    features, _ = features_and_logits(seen.layer, None, name)
    return features, output if ends_linear else None


@contextmanager
def _watching(module: nn.Module, layer: str | None) -> Iterator[_Seen]:
    from torch import nn

    seen = _Seen()

    def see_linear(_module: nn.Module, inputs: tuple[Any, ...], output: object) -> None:
        seen.linear_input, seen.linear_output = (inputs[0] if inputs else None), output

    def see_layer(_module: nn.Module, _inputs: object, output: object) -> None:
        seen.layer = output

    handles = [
        part.register_forward_hook(see_linear)
        for part in module.modules()
        if isinstance(part, nn.Linear)
    ]
    if layer is not None:
        handles.append(module.get_submodule(layer).register_forward_hook(see_layer))
    try:
        yield seen
    finally:
        for handle in handles:
            handle.remove()
