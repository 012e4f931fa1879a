"""The optimiser of every training."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torch.optim import Optimizer

__all__ = ["adamw"]


def adamw(groups: Iterable[Any], rate: float, weight_decay: float = 0.01) -> Optimizer:
    """AdamW in one pass over weights, gradients and moments.

    On a CPU that is several times as fast as one operation after the other, a good part of a step
    of a language model, and it makes no copies of the largest weight on the way.

    Args:
        groups: Parameters, or groups of them.
        rate: Learning rate of groups that have none of their own.
        weight_decay: Decoupled from the gradient.

    References:
        Loshchilov & Hutter (2019), Decoupled weight decay regularization, ICLR.
    """
    import torch

    return torch.optim.AdamW(groups, lr=rate, weight_decay=weight_decay, fused=True)
