"""Watching a forward pass: every call that applies one of the model's parameters."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torch import Tensor, nn

__all__ = ["ParameterCall", "watched_calls"]

Arguments = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class ParameterCall:
    """One application of parameters, `output = function(input, weight, bias)`.

    Attributes:
        kind: "linear", "conv", "embedding" or "scale" (a norm, or a product by a vector).
        weight: Name of the weight; None where only the bias is the model's parameter.
        bias: Name of the bias, or None.
        function: What was called.
        order: Names of its leading arguments.
        args: Its arguments by position.
        arguments: Those that have a name here, by name.
        output: Its result, to take gradients at.
        version: The output's version when it was made: a later one was overwritten in place.
    """

    kind: str
    weight: str | None
    bias: str | None
    function: Callable[..., Any]
    order: tuple[str, ...]
    args: tuple[Any, ...]
    arguments: Arguments
    output: Tensor
    version: int

    def again(self, **changes: Any) -> Any:
        """Call the function again with some arguments changed."""
        given = dict(zip(self.order, self.args, strict=False))
        args = [changes.get(name, value) for name, value in given.items()]
        named = {k: changes.get(k, v) for k, v in self.arguments.items() if k not in given}
        return self.function(*args, *self.args[len(args) :], **named)


@contextmanager
def watched_calls(module: nn.Module, *, copies: bool) -> Iterator[list[ParameterCall]]:
    """Within it, calls with the module's parameters are put into the list that it gives.

    It is functions that are watched, not layers, because a program of torch.export has no layers.

    Args:
        module: The model, about to run.
        copies: Whether results are handed on as copies, so that nothing is overwritten in place.
    """
    from torch.overrides import TorchFunctionMode

    names = {id(weight): name for name, weight in module.named_parameters() if weight.requires_grad}
    calls: list[ParameterCall] = []

    class Watch(TorchFunctionMode):
        def __torch_function__(
            self,
            func: Callable[..., Any],
            types: Sequence[type],
            args: Sequence[Any] = (),
            kwargs: Mapping[str, Any] | None = None,
        ) -> Any:
            output = func(*args, **(kwargs or {}))
            call = _call_of(func, args, kwargs or {}, names, output)
            if call is None:
                return output
            calls.append(call)
            return output.clone() if copies else output

    with Watch():
        yield calls


def _call_of(
    func: Callable[..., Any],
    args: Sequence[Any],
    kwargs: Arguments,
    names: Mapping[int, str],
    output: Any,
) -> ParameterCall | None:
    known = _signatures().get(func)
    if known is None:
        return None
    kind, order = known
    arguments = dict(zip(order, args, strict=False)) | dict(kwargs)
    if kind == "product":
        kind, arguments = "scale", _product(arguments, names)
    weight, bias = (names.get(id(arguments.get(key))) for key in ("weight", "bias"))
    if weight is None and bias is None:
        return None
    return ParameterCall(
        kind, weight, bias, func, order, tuple(args), arguments, output, output._version
    )


def _product(arguments: Arguments, names: Mapping[int, str]) -> dict[str, Any]:
    """A product of a vector of weights and a tensor, whichever comes first."""
    first, second = arguments.get("input"), arguments.get("other")
    if id(first) in names:
        first, second = second, first
    is_vector = getattr(second, "ndim", 0) == 1
    return {"input": first, "weight": second if is_vector else None, "is_product": True}


@cache
def _signatures() -> dict[Callable[..., Any], tuple[str, tuple[str, ...]]]:
    """Function to kind and names of arguments."""
    import torch
    from torch.nn import functional

    aten = torch.ops.aten
    conv = ("input", "weight", "bias", "stride", "padding", "dilation", "groups")
    norm = ("input", "normalized_shape", "weight", "bias", "eps")
    batch = ("input", "weight", "bias", "running_mean", "running_var", "training", "momentum")
    group = ("input", "num_groups", "weight", "bias", "eps")
    found: dict[Any, tuple[str, tuple[str, ...]]] = {
        functional.embedding: ("embedding", ("input", "weight", "padding_idx")),
        aten.embedding.default: ("embedding", ("weight", "input", "padding_idx")),
        torch.addmm: ("addmm", ("bias", "input", "weight")),
        functional.batch_norm: (
            "scale",
            ("input", "running_mean", "running_var", "weight", "bias", "training", "momentum"),
        ),
    }
    linear = ("input", "weight", "bias")
    groups: list[tuple[str, tuple[str, ...], list[Any]]] = [
        ("linear", linear, [functional.linear, aten.linear.default]),
        ("conv", conv, [torch.conv1d, torch.conv2d, aten.conv1d.default, aten.conv2d.default]),
        ("scale", norm, [functional.layer_norm, torch.layer_norm, aten.layer_norm.default]),
        ("scale", (*batch, "eps"), [torch.batch_norm, aten.batch_norm.default]),
        ("scale", group, [functional.group_norm, torch.group_norm, aten.group_norm.default]),
        ("product", ("input", "other"), [torch.mul, torch.Tensor.mul, torch.Tensor.__mul__]),
        ("product", ("input", "other"), [torch.Tensor.__rmul__, aten.mul.Tensor]),
    ]
    for kind, order, functions in groups:
        found.update(dict.fromkeys(functions, (kind, order)))
    return found
