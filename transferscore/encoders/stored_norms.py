"""What a network's batch norms know of its source, beside what they see of some samples."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from transferscore.encoders.encoder import Encoder, Sample
from transferscore.encoders.renamed import unwrapped
from transferscore.encoders.trainable import SometimesTrainable, TrainableEncoder

if TYPE_CHECKING:
    from torch import Tensor
    from torch.utils._python_dispatch import TorchDispatchMode

__all__ = ["NormLayer", "norm_layers"]

_BATCH_SAMPLES = 16


@dataclass(frozen=True, slots=True)
class NormLayer:
    """One batch-norm layer of c channels.

    Attributes:
        source_mean: `(c,)` stored mean of the source.
        source_variance: `(c,)` stored variance of the source.
        mean: `(c,)` of the samples' activations, over samples and places.
        variance: `(c,)` of the same.
        between: `(c,)` variance of the mean activation from sample to sample, unbiased.
        n_samples: How many samples were seen.
    """

    source_mean: NDArray[np.float64]
    source_variance: NDArray[np.float64]
    mean: NDArray[np.float64]
    variance: NDArray[np.float64]
    between: NDArray[np.float64]
    n_samples: int


def norm_layers(encoder: Encoder, samples: Sequence[Sample]) -> list[NormLayer]:
    """The batch-norm layers that some samples pass, in the order in which they pass them.

    One forward pass in small batches; what is kept is a few numbers a channel. Any module on
    PyTorch will do, an exported program too: the calls of batch norm themselves are watched.
    Layers that hold the statistics they were made with (mean 0, variance 1) know no source and are
    left out.

    Args:
        encoder: The model; one that is not on PyTorch has no such layers.
        samples: At least two.

    Raises:
        EncoderError: The model cannot be loaded or run.
    """
    inner = unwrapped(encoder)
    is_watched = isinstance(inner, TrainableEncoder) and not isinstance(inner, SometimesTrainable)
    if len(samples) < 2 or not is_watched:
        return []
    sums: dict[int, _Sums] = {}
    for start in range(0, len(samples), _BATCH_SAMPLES):
        batch = encoder.prepare(samples[start : start + _BATCH_SAMPLES])
        with _watching(sums):
            encoder.forward(batch)
    return [layer for layer in map(_layer, sums.values()) if layer is not None]


@dataclass(slots=True)
class _Sums:
    """Running sums of one layer, over the samples' means and mean squares."""

    source_mean: Tensor
    source_variance: Tensor
    count: int
    means: Tensor
    squared_means: Tensor
    squares: Tensor


def _watching(sums: dict[int, _Sums]) -> TorchDispatchMode:
    """A context in which every batch norm on stored statistics adds to `sums`."""
    from torch.utils._python_dispatch import TorchDispatchMode

    class Watching(TorchDispatchMode):  # type: ignore[no-untyped-call]
        def __torch_dispatch__(
            self,
            operation: Any,
            types: Any,
            arguments: tuple[Any, ...] = (),
            named: Mapping[str, Any] | None = None,
        ) -> Any:
            if "batch_norm" in operation.__name__ and len(arguments) > 4:
                _see(sums, arguments[0], arguments[3], arguments[4])
            return operation(*arguments, **(named or {}))

    return Watching()  # type: ignore[no-untyped-call]


def _see(
    sums: dict[int, _Sums], values: Tensor, mean: Tensor | None, variance: Tensor | None
) -> None:
    """Add the activations `(b, c, ...)` that go into one batch norm."""
    if mean is None or variance is None or values.ndim < 2:
        return
    # In the precision of the statistics: activations may be in half precision.
    rows = values.detach().to(mean.dtype)
    rows = rows.flatten(2) if rows.ndim > 2 else rows.unsqueeze(2)
    means, squares = rows.mean(2).double(), rows.square().mean(2).double()
    # A layer is known by where its statistics lie: one that runs twice is one layer.
    key = mean.data_ptr()
    if key not in sums:
        zero = means.new_zeros(means.shape[1])
        sums[key] = _Sums(mean.double(), variance.double(), 0, zero, zero, zero)
    found = sums[key]
    found.count += len(means)
    found.means = found.means + means.sum(0)
    found.squared_means = found.squared_means + means.square().sum(0)
    found.squares = found.squares + squares.sum(0)


def _layer(sums: _Sums) -> NormLayer | None:
    source_mean, source_variance = _array(sums.source_mean), _array(sums.source_variance)
    if not source_mean.any() and (source_variance == 1.0).all():
        return None
    n = sums.count
    mean, squared_means, squares = (
        _array(part) / n for part in (sums.means, sums.squared_means, sums.squares)
    )
    between = np.maximum(squared_means - mean**2, 0.0) * n / max(n - 1, 1)
    variance = np.maximum(squares - mean**2, 0.0)
    return NormLayer(source_mean, source_variance, mean, variance, between, n)


def _array(tensor: Tensor) -> NDArray[np.float64]:
    array: NDArray[np.float64] = tensor.cpu().numpy()
    return array
