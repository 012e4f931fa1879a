"""Random projections of per-sample gradients, made from a call's input and output gradient.

The gradient of one sample with respect to a weight matrix is a sum of outer products, one for each
token or position: g x^T. Projecting x and g to a few numbers each and multiplying these gives a
projection of the whole gradient, so that it never has to be formed. Inner products are kept on
average: E<P a, P b> = <a, b>.
"""

from __future__ import annotations

import hashlib
import math
from typing import TYPE_CHECKING

from transferscore.strategies.tangent_calls import ParameterCall

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["Sketcher"]


class Sketcher:
    """Projections that are drawn once and used for every batch.

    Args:
        width: k; a matrix of weights has `(k, k)` numbers in the sketch, a vector at most k * k.
        seed: Seed of the projections.
    """

    def __init__(self, width: int, seed: int) -> None:
        self.width = width
        self._seed = seed
        self._drawn: dict[tuple[str, str], Tensor] = {}

    def inputs(self, call: ParameterCall, n_samples: int) -> Tensor:
        """The part of a call's sketch that its input decides, the same for all gradients.

        Returns:
            `(b, t, k)` for matrices; for vectors `(b, t, d)`, what each entry is multiplied by.
        """
        source: Tensor = call.arguments["input"].detach()
        if call.kind == "embedding":
            table = call.arguments["weight"]
            rows = self._of(call, "in", len(table), self.width, call.output)
            return rows[source.reshape(n_samples, -1)] * _is_learnt(call, n_samples)
        if call.kind == "conv":
            return self._conv_inputs(call, source, n_samples)
        if call.kind == "scale":
            return _channels_last(_normalised(call, source), call, n_samples)
        tokens = source.reshape(n_samples, -1, source.shape[-1])
        return tokens @ self._of(call, "in", tokens.shape[-1], self.width, tokens)

    def weights(self, call: ParameterCall, inputs: Tensor, gradient: Tensor) -> Tensor:
        """Sketch of the gradients with respect to the weight.

        Args:
            call: The call.
            inputs: As `inputs` gives it.
            gradient: Gradient at the call's output.

        Returns:
            `(b, k, k)` for matrices, input projections first; `(b, 1, w)` for vectors.
        """
        b = len(inputs)
        if call.kind == "scale":
            slopes = (_channels_last(gradient, call, b) * inputs).sum(1)
            return self._narrowed(call, "scale", slopes)
        if _is_depthwise(call):
            return self._narrowed(call, "depthwise", _depthwise(call, gradient, b))
        slopes = _channels_last(gradient, call, b)
        projected = slopes @ self._of(call, "out", slopes.shape[-1], self.width, slopes)
        return inputs.transpose(1, 2) @ projected

    def biases(self, call: ParameterCall, gradient: Tensor, n_samples: int) -> Tensor:
        """Sketch `(b, 1, w)` of the gradients with respect to the bias."""
        return self._narrowed(call, "bias", _channels_last(gradient, call, n_samples).sum(1))

    def _conv_inputs(self, call: ParameterCall, source: Tensor, n_samples: int) -> Tensor:
        if _is_depthwise(call):
            return source
        weight = call.arguments["weight"]
        kernel = self._of(call, "in", weight[0].numel(), self.width, source)
        patches = call.again(weight=kernel.T.reshape(-1, *weight.shape[1:]), bias=None).detach()
        projected: Tensor = patches.reshape(n_samples, self.width, -1).transpose(1, 2)
        return projected

    def _narrowed(self, call: ParameterCall, side: str, slopes: Tensor) -> Tensor:
        """Vectors `(b, d)` as they are, or projected to k * k numbers where they are longer."""
        width = self.width**2
        if slopes.shape[1] > width:
            slopes = slopes @ self._of(call, side, slopes.shape[1], width, slopes)
        return slopes.unsqueeze(1)

    def _of(self, call: ParameterCall, side: str, size: int, width: int, like: Tensor) -> Tensor:
        """The random matrix `(size, width)` of one side of a parameter."""
        import torch

        key = (call.weight or call.bias or "", side)
        if key not in self._drawn:
            text = f"{self._seed} {key[0]} {side}".encode()
            seed = int.from_bytes(hashlib.sha256(text).digest()[:7], "big")
            draw = torch.randn(size, width, generator=torch.Generator().manual_seed(seed))
            self._drawn[key] = (draw / math.sqrt(width)).to(like.device)
        return self._drawn[key]


def _is_learnt(call: ParameterCall, n_samples: int) -> Tensor:
    """`(b, t, 1)`: 0 for padding, whose embedding is never trained, else 1."""
    ids: Tensor = call.arguments["input"].reshape(n_samples, -1, 1)
    padding = call.arguments.get("padding_idx")
    return (ids != (-1 if padding is None else padding)).to(call.output.dtype)


def _normalised(call: ParameterCall, source: Tensor) -> Tensor:
    """What a norm multiplies by its weight."""
    if call.arguments.get("is_product"):
        return source
    result: Tensor = call.again(weight=None, bias=None).detach()
    return result


def _channels_last(values: Tensor, call: ParameterCall, n_samples: int) -> Tensor:
    """Values at the output of a call as `(b, t, d)`: one row for each token or position."""
    named = call.arguments.get("weight")
    named = call.arguments["bias"] if named is None else named
    on_second = call.kind == "conv" or (
        call.kind == "scale" and not _is_on_last(call) and values.ndim > 2
    )
    if on_second:
        return values.reshape(len(values), values.shape[1], -1).transpose(1, 2)
    if call.kind == "scale" and not _is_on_last(call):
        return values.reshape(n_samples, -1, values.shape[1])
    width = named.numel() if call.kind == "scale" else values.shape[-1]
    return values.reshape(n_samples, -1, width)


def _is_on_last(call: ParameterCall) -> bool:
    """Whether a norm's weights belong to the last axes; batch and group norms' to the second."""
    return "normalized_shape" in call.arguments or "is_product" in call.arguments


def _is_depthwise(call: ParameterCall) -> bool:
    return call.kind == "conv" and call.arguments.get("groups", 1) != 1


def _depthwise(call: ParameterCall, gradient: Tensor, n_samples: int) -> Tensor:
    """Exact gradients `(b, weights)` of a grouped convolution, samples standing as groups."""
    import torch

    source, weight = call.arguments["input"].detach(), call.arguments["weight"]
    shape = (n_samples * weight.shape[0], *weight.shape[1:])
    gradients = torch.ops.aten.convolution_backward(
        gradient.reshape(1, -1, *gradient.shape[2:]).contiguous(),
        source.reshape(1, -1, *source.shape[2:]).contiguous(),
        weight.new_empty(1).expand(shape),
        None,
        _pair(call, "stride", 1, gradient.ndim - 2),
        _pair(call, "padding", 0, gradient.ndim - 2),
        _pair(call, "dilation", 1, gradient.ndim - 2),
        False,
        [0] * (gradient.ndim - 2),
        call.arguments["groups"] * n_samples,
        [False, True, False],
    )
    found: Tensor = gradients[1].reshape(n_samples, -1)
    return found


def _pair(call: ParameterCall, key: str, default: int, n_axes: int) -> list[int]:
    value = call.arguments.get(key, default)
    return [value] * n_axes if isinstance(value, int) else list(value)
