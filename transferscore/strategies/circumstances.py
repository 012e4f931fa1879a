"""What of a model and a dataset its recipes depend on."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING

from transferscore.datasets import Dataset
from transferscore.strategies.recipe import Circumstances
from transferscore.strategies.strategy import LoRA, Strategy

if TYPE_CHECKING:
    from torch import nn

__all__ = ["circumstances_of", "covering_names"]

# Those that train every weight, of whatever model.
_WHOLE = ("full", "scratch")


def circumstances_of(
    dataset: Dataset, strategy: Strategy, module: nn.Module | None
) -> Circumstances:
    """What a recipe depends on.

    Args:
        dataset: The labelled samples.
        strategy: How the model is adapted.
        module: The model as `trainable_model` gives it; None where it has no gradients.
    """
    selected: tuple[str, ...] = () if module is None else strategy.select(module)
    takes_adapters = isinstance(strategy, LoRA) and (module is None or bool(selected))
    rank = strategy.rank if isinstance(strategy, LoRA) and takes_adapters else None
    layers = tuple(name.removesuffix(".weight") for name in selected) if rank is not None else ()
    used = [] if module is None else [n for n, w in module.named_parameters() if w.requires_grad]
    everything = bool(selected) and set(selected) == set(used)
    if module is None:
        everything = strategy.name in _WHOLE
    return Circumstances(
        n_samples=len(dataset),
        n_classes=dataset.n_classes,
        modality=dataset.modality,
        metric=dataset.task.metric,
        train_only=() if rank is not None or everything else covering_names(selected, used),
        trains_all=everything and rank is None,
        lora_rank=rank,
        lora_targets=_targets(layers, module),
        has_batch_norm=module is not None and _has_batch_norm(module),
        adapts_convolutions=module is not None and _has_convolution(module, layers),
    )


def covering_names(selected: Sequence[str], names: Sequence[str]) -> tuple[str, ...]:
    """The shortest list of modules and parameters that stands for the selected parameters.

    Args:
        selected: Parameters, by their full names.
        names: All parameters that could be.

    Examples:
        >>> covering_names(["b.0.w", "b.0.c", "n.w"], ["a.w", "b.0.w", "b.0.c", "n.w", "n.c"])
        ('b', 'n.w')
    """
    left_out = set(names) - set(selected)
    barred = {prefix for name in left_out for prefix in _prefixes(name)}
    found = (next((p for p in _prefixes(name) if p not in barred), name) for name in selected)
    return tuple(dict.fromkeys(found))


def _prefixes(name: str) -> list[str]:
    """The modules that a parameter is in, from the outermost, and the parameter itself."""
    parts = name.split(".")
    return [".".join(parts[: i + 1]) for i in range(len(parts))]


def _targets(layers: Collection[str], module: nn.Module | None) -> tuple[str, ...]:
    """Layers as PEFT selects them: by the ends of their names where these mean no other layer."""
    if module is None or not layers:
        return ()
    ends = tuple(dict.fromkeys(name.rpartition(".")[2] for name in layers))
    meant = {name for name, _ in module.named_modules() if name.rpartition(".")[2] in ends}
    return ends if meant == set(layers) and not any(end.isdigit() for end in ends) else (*layers,)


def _has_convolution(module: nn.Module, layers: Collection[str]) -> bool:
    return any(hasattr(module.get_submodule(name), "stride") for name in layers)


def _has_batch_norm(module: nn.Module) -> bool:
    """By their running statistics, which programs of torch.export keep."""
    return any(name.endswith("running_mean") for name, _ in module.named_buffers())
