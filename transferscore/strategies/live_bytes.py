"""The most bytes of tensors alive at once while some code runs, on whatever device."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

__all__ = ["Usage", "usage_of"]


@dataclass(frozen=True, slots=True)
class Usage:
    """What some code took.

    Attributes:
        peak_bytes: The most bytes alive at once of tensors that it made.
        n_operations: Operations that it ran.
    """

    peak_bytes: int
    n_operations: int


def usage_of(run: Callable[[], object]) -> Usage:
    """The tensors that `run` makes, counted as they come and go.

    What autograd keeps for the way back stays alive, so the peak of a forward pass is what training
    holds when the way back begins. Scratch space inside one operation is not seen, but for a CPU's
    convolutions, which copy what they read and write into blocks of channels.
    """
    import torch
    from torch.utils._python_dispatch import TorchDispatchMode
    from torch.utils._pytree import tree_leaves

    class Live(TorchDispatchMode):  # type: ignore[no-untyped-call]
        """Follows storages: an operation may return a view of what it was given."""

        def __init__(self) -> None:
            super().__init__()  # type: ignore[no-untyped-call]
            self.live = self.peak = self.count = 0
            self.known: dict[int, int] = {}

        def __torch_dispatch__(
            self,
            func: Callable[..., Any],
            types: Any,
            args: Any = (),
            kwargs: Mapping[str, Any] | None = None,
        ) -> Any:
            before = self.live
            out = func(*args, **(kwargs or {}))
            given = {_storage_id(leaf) for leaf in tree_leaves((args, kwargs)) if _holds(leaf)}
            self.count += 1
            for leaf in tree_leaves(out):
                if _holds(leaf) and _storage_id(leaf) not in given:
                    self.follow(leaf.untyped_storage())
            self.peak = max(self.peak, before + _scratch_bytes(func, args, out))
            return out

        def follow(self, storage: torch.UntypedStorage) -> None:
            key = int(storage._cdata)
            if key in self.known:
                return
            self.known[key] = storage.nbytes()
            self.live += storage.nbytes()
            self.peak = max(self.peak, self.live)
            weakref.finalize(storage, self.forget, key)

        def forget(self, key: int) -> None:
            self.live -= self.known.pop(key, 0)

    def _holds(leaf: object) -> bool:
        return isinstance(leaf, torch.Tensor) and leaf.layout == torch.strided

    def _storage_id(leaf: torch.Tensor) -> int:
        return int(leaf.untyped_storage()._cdata)

    with Live() as mode:
        run()
    return Usage(mode.peak, mode.count)


def _scratch_bytes(func: Callable[..., Any], args: Any, out: Any) -> int:
    """What a convolution of a CPU makes on its way: its input and its output in blocks."""
    import torch

    if func is not torch.ops.aten.convolution.default or out.device.type != "cpu":
        return 0
    return int(args[0].nbytes + out.nbytes)
