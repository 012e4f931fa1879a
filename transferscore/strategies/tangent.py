"""Tangent features: sketched gradients of a model's features, one row for each sample."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from transferscore.encoders import TrainableModel, take_rows
from transferscore.strategies.sketch import Sketcher
from transferscore.strategies.tangent_calls import ParameterCall, watched_calls

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["Tangents", "tangents"]

BATCH_SIZE = 32

# Numbers in the sketch of one direction, over all parameters: bounds memory whatever the model.
_BUDGET = 16_384
_WIDTHS = (4, 16)


@dataclass(frozen=True, slots=True)
class Tangents:
    """A model's features and the sketched gradients of random directions of them.

    Attributes:
        features: `(n, d)` float32.
        blocks: Parameter name to `(n, m, i, o)` float32 for m directions: the gradient with respect
            to a matrix, its inputs projected to i numbers and its outputs to o; vectors have i = 1.
        uncovered: Names of parameters that are applied in a way which is not understood.
    """

    features: NDArray[np.float32]
    blocks: Mapping[str, NDArray[np.float32]]
    uncovered: tuple[str, ...]


def tangents(
    model: TrainableModel,
    batch: Any,
    order: NDArray[np.int64],
    directions: NDArray[np.float32],
    *,
    width: int | None = None,
    seed: int = 0,
) -> Tangents:
    """One forward pass, and one backward pass for each direction, over all samples.

    Args:
        model: The model; its weights stay as they are.
        batch: Its prepared input of n samples.
        order: `(n,)` the order in which samples share batches, those of like length together.
        directions: `(m, d)`.
        width: Numbers to which each side of a matrix is projected; by default what memory allows.
        seed: Seed of the projections.
    """
    n_matrices = sum(1 for weight in model.module.parameters() if weight.requires_grad)
    sketcher = Sketcher(width or _width(n_matrices), seed)
    parts = [
        _batch_tangents(model, take_rows(batch, rows), directions, sketcher)
        for rows in np.array_split(order, math.ceil(len(order) / BATCH_SIZE))
    ]
    back = np.argsort(order)
    names = parts[0][1]
    blocks = {name: np.concatenate([part[1][name] for part in parts])[back] for name in names}
    features = np.concatenate([part[0] for part in parts])[back]
    named = model.module.named_parameters()
    trained = [name for name, weight in named if weight.requires_grad]
    return Tangents(features, blocks, tuple(name for name in trained if name not in blocks))


def _width(n_parameters: int) -> int:
    low, high = _WIDTHS
    return int(np.clip(math.isqrt(_BUDGET // max(n_parameters, 1)), low, high))


def _batch_tangents(
    model: TrainableModel, batch: Any, directions: NDArray[np.float32], sketcher: Sketcher
) -> tuple[NDArray[np.float32], dict[str, NDArray[np.float32]]]:
    import torch

    features, calls = _watched(model, batch)
    inputs = [sketcher.inputs(call, len(features)) for call in calls]
    found: dict[str, list[Tensor]] = defaultdict(list)
    for i, direction in enumerate(torch.from_numpy(directions).to(features)):
        gradients = torch.autograd.grad(
            (features @ direction).sum(),
            [call.output for call in calls],
            retain_graph=i + 1 < len(directions),
            allow_unused=True,
        )
        for name, sketch in _direction_sketches(calls, inputs, gradients, sketcher).items():
            found[name].append(sketch)
    blocks = {name: torch.stack(sketches, 1).cpu().numpy() for name, sketches in found.items()}
    return features.detach().cpu().numpy(), blocks


def _watched(model: TrainableModel, batch: Any) -> tuple[Tensor, list[ParameterCall]]:
    """Features and the calls that made them, none of whose results was overwritten since."""
    import torch

    for copies in (False, True):
        with torch.enable_grad(), watched_calls(model.module, copies=copies) as calls:
            features = model.features(batch)
        if all(call.output._version == call.version for call in calls):
            break
    rows = len(features)
    usable = [call for call in calls if call.output.requires_grad and len(call.output) % rows == 0]
    return features, usable


def _direction_sketches(
    calls: Sequence[ParameterCall],
    inputs: Sequence[Tensor],
    gradients: Sequence[Tensor | None],
    sketcher: Sketcher,
) -> dict[str, Tensor]:
    """Parameter name to sketch `(b, i, o)`; a parameter that is applied twice has the sum."""
    found: dict[str, Tensor] = {}
    for call, given, gradient in zip(calls, inputs, gradients, strict=True):
        if gradient is None:
            continue
        if call.weight is not None:
            sketch = sketcher.weights(call, given, gradient)
            found[call.weight] = found.get(call.weight, 0.0) + sketch
        if call.bias is not None:
            sketch = sketcher.biases(call, gradient, len(given))
            found[call.bias] = found.get(call.bias, 0.0) + sketch
    return found
