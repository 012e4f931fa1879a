"""Strategies: ways to adapt a pretrained model, each a set of parameters that it trains."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from transferscore.errors import InputError, UnknownNameError
from transferscore.strategies.adapters import adaptable_layers, add_lora
from transferscore.strategies.blocks import last_block
from transferscore.strategies.reinitialise import reinitialise

if TYPE_CHECKING:
    from torch import nn

__all__ = [
    "STRATEGIES",
    "LoRA",
    "Scratch",
    "Strategy",
    "Tuning",
    "resolve_strategies",
    "trainable_parameters",
]

DEFAULT_RANK = 8


@runtime_checkable
class Strategy(Protocol):
    """A way to adapt a model. A linear classifier on the features is trained in every case.

    `module` is always a model as `trainable_model` gives it: in eval mode, with `requires_grad` on
    what the features depend on.
    """

    @property
    def name(self) -> str:
        """What the report calls the strategy."""
        ...

    def unavailable(self, module: nn.Module) -> str | None:
        """Why this module cannot take the strategy; None if it can."""
        ...

    def select(self, module: nn.Module) -> tuple[str, ...]:
        """Names of the module's parameters that are trained, or that adapters stand beside."""
        ...

    def apply(self, module: nn.Module, seed: int) -> None:
        """Change the module in place, so that exactly what is trained requires a gradient."""
        ...


@dataclass(frozen=True, slots=True)
class Tuning:
    """Train some of the model's own parameters and freeze the rest.

    Attributes:
        name: What the report calls the strategy.
        choose: Names of the parameters to train, from the module.
        lacking: Why there are none, where there are none.
    """

    name: str
    choose: Callable[[nn.Module], tuple[str, ...]]
    lacking: str = "the model has no parameters"

    def unavailable(self, module: nn.Module) -> str | None:
        """`lacking` where there is nothing to train."""
        return None if self.choose is _nothing or self.select(module) else self.lacking

    def select(self, module: nn.Module) -> tuple[str, ...]:
        """Names of the parameters that are trained."""
        return self.choose(module)

    def apply(self, module: nn.Module, seed: int) -> None:  # noqa: ARG002 -- nothing is drawn
        """Freeze all other parameters."""
        chosen = set(self.select(module))
        for name, parameter in module.named_parameters():
            parameter.requires_grad_(name in chosen)


@dataclass(frozen=True, slots=True)
class LoRA:
    """Low-rank adapters beside all linear layers and 1 x 1 convolutions, by PEFT.

    Attributes:
        rank: Inner width of an adapter.
    """

    rank: int = DEFAULT_RANK

    @property
    def name(self) -> str:
        """`lora`, and the rank where it is not the default."""
        return "lora" if self.rank == DEFAULT_RANK else f"lora:{self.rank}"

    def unavailable(self, module: nn.Module) -> str | None:
        """A model may have no layer to adapt; a graph of torch.export has no layers at all."""
        if adaptable_layers(module):
            return None
        return "the model has no linear layers or 1 x 1 convolutions for adapters to stand beside"

    def select(self, module: nn.Module) -> tuple[str, ...]:
        """Names of the weights that adapters stand beside."""
        return tuple(f"{name}.weight".lstrip(".") for name in adaptable_layers(module))

    def apply(self, module: nn.Module, seed: int) -> None:
        """Put the adapters in and freeze the rest."""
        add_lora(module, adaptable_layers(module), self.rank, seed)


@dataclass(frozen=True, slots=True)
class Scratch:
    """Train the same architecture from random weights: what pretraining has to beat."""

    name: str = "scratch"

    def unavailable(self, module: nn.Module) -> str | None:  # noqa: ARG002
        """Every module can be drawn anew."""
        return None

    def select(self, module: nn.Module) -> tuple[str, ...]:
        """All parameters."""
        return _everything(module)

    def apply(self, module: nn.Module, seed: int) -> None:
        """Draw all weights anew; all of them are trained."""
        reinitialise(module, seed)


def trainable_parameters(module: nn.Module) -> int:
    """How many weights of the module require a gradient (the classifier is not counted)."""
    return sum(weight.numel() for weight in module.parameters() if weight.requires_grad)


def resolve_strategies(wanted: str | Strategy | Iterable[str | Strategy]) -> tuple[Strategy, ...]:
    """Strategies by name, or your own, in the order given and each once.

    Args:
        wanted: "all", names separated by commas (`lora:16` is LoRA of rank 16), a `Strategy`, or
            several of these.

    Raises:
        UnknownNameError: No strategy of that name; the message lists those that exist.
        InputError: The rank of a LoRA is not a positive whole number, or nothing was named.

    >>> [strategy.name for strategy in resolve_strategies("linear_probe,lora:16")]
    ['linear_probe', 'lora:16']
    """
    items = [wanted] if isinstance(wanted, str | Strategy) else list(wanted)
    found: dict[str, Strategy] = {}
    for item in items:
        for strategy in _named(item) if isinstance(item, str) else (item,):
            found.setdefault(strategy.name, strategy)
    if not found:
        raise InputError(f"Name at least one strategy; known: {', '.join(STRATEGIES)}.")
    return tuple(found.values())


def _named(text: str) -> Sequence[Strategy]:
    if text == "all":
        return list(STRATEGIES.values())
    return [_one_named(name.strip()) for name in text.split(",") if name.strip()]


def _one_named(name: str) -> Strategy:
    if name in STRATEGIES:
        return STRATEGIES[name]
    stem, _, rank = name.partition(":")
    if stem != "lora":
        raise UnknownNameError(
            f"{name!r} is not a known strategy; known: {', '.join(STRATEGIES)}, or `lora:RANK`."
        )
    if not rank.isdigit() or int(rank) < 1:
        raise InputError(f"The rank in `lora:RANK` must be a positive whole number; got {rank!r}.")
    return LoRA(int(rank))


def _used(module: nn.Module) -> dict[str, int]:
    named = module.named_parameters()
    return {name: weight.numel() for name, weight in named if weight.requires_grad}


def _nothing(_: nn.Module) -> tuple[str, ...]:
    return ()


def _everything(module: nn.Module) -> tuple[str, ...]:
    return tuple(_used(module))


def _vectors(module: nn.Module) -> tuple[str, ...]:
    # A norm's weight and every bias are vectors, and nothing else is: this also holds for
    # programs of torch.export, whose layers have lost their classes.
    named = module.named_parameters()
    return tuple(name for name, weight in named if weight.requires_grad and weight.ndim == 1)


def _last_block(module: nn.Module) -> tuple[str, ...]:
    return last_block(_used(module))


STRATEGIES: dict[str, Strategy] = {
    strategy.name: strategy
    for strategy in (
        Tuning("linear_probe", _nothing),
        Tuning("norm_tuning", _vectors, "the model has no norms or biases"),
        Tuning("partial", _last_block, "no repeated block or stage was found in the model"),
        LoRA(),
        Tuning("full", _everything),
        Scratch(),
    )
}
