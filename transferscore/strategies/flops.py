"""Floating-point operations of a pass, by PyTorch's counter with its two gaps closed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

__all__ = ["flops_of"]


def flops_of(run: Callable[[], object]) -> int:
    """Operations of matrix products, convolutions and attention in `run`, multiplies and adds.

    Attention runs as plain matrix products while it is counted: the counter does not see the fused
    kernel of a CPU. The weight gradient of a grouped convolution is counted as what it is, the work
    of the forward pass; the counter multiplies it by the number of groups.
    """
    import torch
    from torch.nn.attention import SDPBackend, sdpa_kernel
    from torch.utils.flop_counter import FlopCounterMode

    counter = FlopCounterMode(
        display=False, custom_mapping={torch.ops.aten.convolution_backward: _convolution_backward}
    )
    with counter, sdpa_kernel(SDPBackend.MATH):
        run()
    return int(counter.get_total_flops())


def _convolution_backward(*shapes: Any, out_shape: Any = None, **_: Any) -> int:  # noqa: ARG001
    """As many operations as the forward pass, for each of the input's and the weight's gradient."""
    from torch.utils.flop_counter import conv_flop_count

    grad_out, source, weight, *_rest, transposed, _padding, _groups, mask = shapes
    forward = conv_flop_count(source, weight, grad_out, transposed=transposed)
    return int(forward) * (int(mask[0]) + int(mask[1]))
