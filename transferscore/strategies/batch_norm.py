"""Batch norm on the batch's own statistics, also in programs that were exported in eval mode."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

__all__ = ["batch_statistics", "training_norms"]

_MOMENTUM = 0.1


def training_norms(*, from_scratch: bool) -> AbstractContextManager[None]:
    """How batch norms behave in a step of training: those of pretrained models stay as they are."""
    return batch_statistics() if from_scratch else nullcontext()


@contextmanager
def batch_statistics() -> Iterator[None]:
    """Within it every batch norm uses, and slowly learns, the statistics of its batch.

    Random weights have no running statistics to stand on. A program of torch.export has "eval"
    written into its calls, so it is the calls that are changed and not a module's mode. Batch
    norms learn with momentum 0.1 whatever they say: transformers' MobileNets say 0.997, with which
    one batch replaces all that was learnt.
    """
    from torch.overrides import TorchFunctionMode

    class OnBatch(TorchFunctionMode):
        def __torch_function__(
            self,
            func: Callable[..., Any],
            types: Sequence[type],
            args: Sequence[Any] = (),
            kwargs: Mapping[str, Any] | None = None,
        ) -> Any:
            named = _named_arguments(func, args, kwargs or {})
            return func(*args, **(kwargs or {})) if named is None else _on_batch(named)

    with OnBatch():
        yield


def _named_arguments(
    func: Callable[..., Any], args: Sequence[Any], kwargs: Mapping[str, Any]
) -> dict[str, Any] | None:
    """The arguments of a call of batch norm by name, or None of any other call."""
    import torch
    from torch.nn import functional

    tail = ("training", "momentum", "eps")
    if func is functional.batch_norm:
        names: tuple[str, ...] = ("input", "running_mean", "running_var", "weight", "bias", *tail)
    elif func in (torch.batch_norm, torch.ops.aten.batch_norm.default):
        names = ("input", "weight", "bias", "running_mean", "running_var", *tail)
    else:
        return None
    return dict(zip(names, args, strict=False)) | dict(kwargs)


def _on_batch(named: Mapping[str, Any]) -> Any:
    from torch.nn import functional

    return functional.batch_norm(
        named["input"],
        named.get("running_mean"),
        named.get("running_var"),
        named.get("weight"),
        named.get("bias"),
        training=True,
        momentum=_MOMENTUM,
        eps=named.get("eps", 1e-5),
    )
