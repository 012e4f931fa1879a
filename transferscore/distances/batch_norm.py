"""Batch-norm distance: how far activations lie from what a network's batch norms have stored.

No source data: a network with batch norms carries the mean and variance that each channel had on
its source. The target is far where its own are different.

The levels were set on two CIFAR-10 ResNets and five ImageNet MobileNets, 64 images each. Values:

==================== ================== ====================
target               CIFAR-10 ResNets   ImageNet MobileNets
==================== ================== ====================
CIFAR-10             0.02 – 0.03        0.03 – 0.06
photographs, flowers 0.05 – 0.06        0.05 – 0.06
photographs, rubbish 0.15 – 0.16        0.06 – 0.09
hand signs           0.22 – 0.25        0.12 – 0.26
brain scans          0.18 – 0.21        0.22 – 0.47
pen strokes on white 0.51 – 0.56        0.52 – 1.09
==================== ================== ====================

The same data set the thresholds, so this is a description, not a test.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from transferscore.distances.info import SourceFreeInfo
from transferscore.distances.level import LEVELS, Level
from transferscore.errors import InputError

__all__ = ["BATCH_NORM_BIBTEX", "INFO", "BatchNormDistance", "StoredNorm", "batch_norm_distance"]

_THRESHOLDS = (0.045, 0.12, 0.30)
_EARLY_LAYERS = 4

BATCH_NORM_BIBTEX = """@inproceedings{schneider2020improving,
  title = {Improving Robustness against Common Corruptions by Covariate Shift Adaptation},
  author = {Schneider, Steffen and Rusak, Evgenia and Eck, Luisa and Bringmann, Oliver and
            Brendel, Wieland and Bethge, Matthias},
  booktitle = {Advances in Neural Information Processing Systems},
  year = {2020}
}"""


INFO = SourceFreeInfo(
    name="batch_norm",
    tells="How far the target's activations lie from the means and variances stored in the model.",
    needs="a network on PyTorch with batch norms",
    reads="the first four batch norms, at most 64 samples",
    range="[0, inf)",
    null="a layer's own sampling noise, taken off",
    paper=(
        "Schneider et al. (2020), Improving robustness against common corruptions by covariate "
        "shift adaptation, NeurIPS"
    ),
    bibtex=BATCH_NORM_BIBTEX,
)


class StoredNorm(Protocol):
    """A batch-norm layer of c channels: what it stored of the source, and what the target gives."""

    @property
    def source_mean(self) -> NDArray[Any]:
        """`(c,)`."""
        ...

    @property
    def source_variance(self) -> NDArray[Any]:
        """`(c,)`."""
        ...

    @property
    def mean(self) -> NDArray[Any]:
        """`(c,)` over the target's samples and places."""
        ...

    @property
    def variance(self) -> NDArray[Any]:
        """`(c,)` likewise."""
        ...

    @property
    def between(self) -> NDArray[Any]:
        """`(c,)` unbiased variance of the mean activation from sample to sample."""
        ...

    @property
    def n_samples(self) -> int:
        """How many samples of the target."""
        ...


@dataclass(frozen=True, slots=True)
class BatchNormDistance:
    """How far a target lies from the source that a network's batch norms remember.

    Attributes:
        value: Mean over the first four layers, or all where there are fewer.
        level: In one word.
        layers: Of each layer, in order of depth. Estimates: below 0 where no difference is found.
        n_samples: Samples of the target that were seen.
    """

    value: float
    level: Level
    layers: tuple[float, ...]
    n_samples: int


def batch_norm_distance(layers: Sequence[StoredNorm]) -> BatchNormDistance:
    r"""Tell how far the target's activations lie from the source's, channel by channel.

    .. math:: d_l = \mathrm{mean}_c
              \frac{(\mu_t - \mu_s)^2 - b_t / n + (\sigma_t - \sigma_s)^2}
                   {\sigma_s^2 + \sigma_t^2}

    The squared Fréchet distance of the two Gaussians of a channel, in units of their variances;
    `b_t / n` takes off what the mean of n samples is wrong by. Symmetric in source and target but
    for that, and the same whatever a channel is multiplied by. The value is that of the first four
    layers: what a sample looks like shows there, whatever the depth of the network, and later
    layers, fed by normalised ones, even it out.

    Args:
        layers: In order of depth.

    Returns:
        The distance; 0 where the target's statistics are the source's. Low below 0.045, moderate
        below 0.12, high below 0.30, very high above.

    Raises:
        InputError: There is no layer.

    References:
        Schneider et al. (2020), Improving robustness against common corruptions by covariate shift
        adaptation, NeurIPS; Li et al. (2017), Revisiting batch normalization for practical domain
        adaptation, ICLR workshop.
    """
    if not layers:
        raise InputError("`layers` must hold at least one batch-norm layer; got none.")
    gaps = tuple(_layer_distance(layer) for layer in layers)
    value = max(0.0, float(np.mean(gaps[:_EARLY_LAYERS])))
    level = LEVELS[int(np.searchsorted(_THRESHOLDS, value, side="right"))]
    return BatchNormDistance(value, level, gaps, layers[0].n_samples)


def _layer_distance(layer: StoredNorm) -> float:
    source, target = np.maximum(layer.source_variance, 0.0), np.maximum(layer.variance, 0.0)
    gaps = (layer.mean - layer.source_mean) ** 2 - layer.between / layer.n_samples
    gaps = gaps + (np.sqrt(target) - np.sqrt(source)) ** 2
    scale = source + target
    # A channel that is constant on both sides is dead in this network: it tells nothing.
    alive = scale > 0.0
    return float(np.mean(gaps[alive] / scale[alive])) if alive.any() else 0.0
