"""LoRA by the PEFT library: low-rank adapters beside linear layers and 1 x 1 convolutions."""

from __future__ import annotations

import re
import warnings
from collections.abc import Sequence
from typing import TYPE_CHECKING

from transferscore.errors import MissingExtraError

if TYPE_CHECKING:
    from torch import nn

__all__ = ["adaptable_layers", "add_lora"]


def adaptable_layers(module: nn.Module) -> list[str]:
    """Names of the layers that LoRA adapts: linear ones, and ungrouped 1 x 1 convolutions.

    Layers whose weight is frozen are left out: the features do not depend on them.
    """
    return [name for name, layer in module.named_modules() if _is_adaptable(layer)]


def add_lora(module: nn.Module, layers: Sequence[str], rank: int, seed: int) -> None:
    """Put an adapter beside each layer, in place, and freeze everything else.

    Args:
        module: The model.
        layers: Names of its layers.
        rank: Inner width of an adapter. Its output is scaled by 2, the usual alpha = 2 x rank.
        seed: Seed of the adapters' first matrices.

    Raises:
        MissingExtraError: peft is not installed.
    """
    try:
        import peft
    except ImportError as error:
        raise MissingExtraError.of("peft", "peft", "The strategy `lora`") from error
    import torch

    pattern = "|".join(re.escape(name) for name in layers)
    config = peft.LoraConfig(r=rank, lora_alpha=2 * rank, target_modules=f"(?:{pattern})")
    with warnings.catch_warnings(), torch.random.fork_rng(devices=[]):
        warnings.simplefilter("ignore")
        torch.manual_seed(seed)
        peft.inject_adapter_in_model(config, module)
    for name in layers:
        _show_geometry(module.get_submodule(name))


def _show_geometry(adapted: nn.Module) -> None:
    """Models that pad for themselves, as MobileNets do, read the geometry of their layers."""
    base = adapted.get_submodule("base_layer")
    for key in ("stride", "kernel_size", "dilation", "padding", "groups"):
        if hasattr(base, key) and not hasattr(adapted, key):
            setattr(adapted, key, getattr(base, key))


def _is_adaptable(layer: nn.Module) -> bool:
    from torch import Tensor, nn

    weight = getattr(layer, "weight", None)
    # A layer with weight normalisation has a list of parametrisations of that name.
    if not isinstance(weight, Tensor) or not weight.requires_grad:
        return False
    if isinstance(layer, nn.Conv2d):
        return layer.kernel_size == (1, 1) and layer.groups == 1
    # transformers' Conv1D, of GPT-2, is a linear layer with its weight transposed.
    return isinstance(layer, nn.Linear) or type(layer).__name__ == "Conv1D"
