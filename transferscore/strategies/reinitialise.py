"""A model's architecture with new random weights."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torch import Tensor, nn

__all__ = ["reinitialise"]


def reinitialise(module: nn.Module, seed: int) -> None:
    """Draw all weights of a module anew, in place, and forget its running statistics.

    Layers that know how to reset themselves do. Weights outside such layers, as in programs of
    torch.export, are drawn by their shape: matrices and kernels with He's spread, vectors as a
    norm's (weight one, bias zero).

    Args:
        module: The model.
        seed: Seed of the weights.
    """
    import torch

    with torch.no_grad(), torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        reset: set[int] = set()
        for layer in module.modules():
            if callable(again := getattr(layer, "reset_parameters", None)):
                again()
                reset.update(id(tensor) for tensor in _own_tensors(layer))
        for name, tensor in (*module.named_parameters(), *module.named_buffers()):
            if id(tensor) not in reset and tensor.is_floating_point():
                _draw(name.rpartition(".")[2], tensor)


def _own_tensors(layer: nn.Module) -> Iterator[Any]:
    yield from layer.parameters(recurse=False)
    yield from layer.buffers(recurse=False)


def _draw(name: str, tensor: Tensor) -> None:
    from torch import nn

    if name == "running_mean":
        tensor.zero_()
    elif name == "running_var":
        tensor.fill_(1.0)
    elif isinstance(tensor, nn.Parameter):
        if tensor.ndim >= 2:
            nn.init.kaiming_normal_(tensor)
        else:
            tensor.fill_(1.0 if name == "weight" else 0.0)
