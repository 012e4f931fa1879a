# ruff: noqa: ARG005 -- every claim is a function of the same arguments
"""What each score claims of itself, for `test_scores.py`. A new score adds its line here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

__all__ = ["CLAIMS", "WARNINGS", "Claims"]

WARNINGS = [
    "H-score is at its maximum",
    "EMMS is at its best whatever the labels",
    "PARC is undefined",
]
"""What scores say of small samples, as they should; each is tested with its score."""


@dataclass(frozen=True)
class Claims:
    """What may be done to the input, and what comes of it.

    `rotation`, `scale` and `shift` of the features change nothing; neither does another order of
    the classes (`renaming`), which a rule for ties may spoil. `repeated` says what three copies of
    every row do: "same", or "rises" where held-out rows then meet their copies or more rows are
    taken for more evidence; None where neither is claimed. `noise(n, d, K)` bounds the mean over
    draws of noise for K equal classes, and `constant(K)` is the value for features that are zero.
    `order` of the samples plays no part, nor is a score without `labels` worth less for wrong ones;
    where `widths` plays a part, only features of one width compare.
    """

    rotation: bool = True
    scale: bool = True
    shift: bool = True
    renaming: bool = True
    order: bool = True
    labels: bool = True
    widths: bool = True
    repeated: str | None = None
    noise: Callable[[int, int, int], tuple[float, float]] | None = None
    constant: Callable[[int], float] | None = None


def _log_evidence(variance: float) -> float:
    return float(-0.5 * np.log(2 * np.pi * np.e * variance))


def _logme_noise(n: int, d: int, k: int) -> tuple[float, float]:
    """From features about the origin to features far from it, which serve as an intercept."""
    return _log_evidence(1 / k), _log_evidence((1 - 1 / k) / k) + 0.02


def _h_score_noise(n: int, d: int, k: int) -> tuple[float, float]:
    chance = (k - 1) * min(d, n - 1) / (n - 1)
    return chance - 0.06, chance + 0.06


def _emms_noise(n: int, d: int, k: int) -> tuple[float, float]:
    chance = min(d, n - 1) / (n - 1) - 1
    return chance - 0.02, chance + 0.02


CLAIMS = {
    "ridge_probe": Claims(
        repeated="rises",
        # Above the largest share by the choice of the best of several penalties.
        noise=lambda n, d, k: (1 / k, 1 / k + 0.08),
        constant=lambda k: 1 / k,
    ),
    "logme": Claims(
        shift=False,
        repeated="rises",
        noise=_logme_noise,
        constant=lambda k: _log_evidence(1 / k),
    ),
    "h_score": Claims(repeated="same", noise=_h_score_noise, constant=lambda k: 0.0),
    "shrinkage_h_score": Claims(
        repeated="rises", noise=lambda n, d, k: (0.0, 0.5), constant=lambda k: 0.0
    ),
    "adjusted_h_score": Claims(
        repeated="rises", noise=lambda n, d, k: (-0.03, 0.03), constant=lambda k: 0.0
    ),
    "knn": Claims(
        renaming=False,
        # Below 1/K, because a row lacks itself among its own class.
        noise=lambda n, d, k: (1 / k - 0.08, 1 / k + 0.02),
    ),
    "nce": Claims(
        repeated="same",
        noise=lambda n, d, k: (-np.log(k), -np.log(k) + 0.2),
        constant=lambda k: -np.log(k),
    ),
    "leep": Claims(
        repeated="same",
        noise=lambda n, d, k: (-np.log(k), -np.log(k) + 0.05),
        constant=lambda k: -np.log(k),
    ),
    "logistic_probe": Claims(
        repeated="rises",
        noise=lambda n, d, k: (1 / k - 0.04, 1 / k + 0.06),
        constant=lambda k: 1 / k,
    ),
    "pactran_gaussian": Claims(scale=False, widths=False),
    "emms": Claims(repeated="same", noise=_emms_noise, constant=lambda k: -1.0),
    # The signs of principal components depend on the order of the samples, and make a difference.
    "parc": Claims(
        rotation=False,
        shift=False,
        order=False,
        noise=lambda n, d, k: (-1.0, 1.0),
        constant=lambda k: 0.0,
    ),
    "intra_class_variance": Claims(
        repeated="same",
        noise=lambda n, d, k: (-(n - k) / (n - 1) - 0.02, -(n - k) / (n - 1) + 0.02),
        constant=lambda k: -1.0,
    ),
    "nleep": Claims(
        scale=False,
        order=False,
        noise=lambda n, d, k: (-np.log(k), -np.log(k) + 0.4),
        constant=lambda k: -np.log(k),
    ),
    "energy": Claims(rotation=False, scale=False, shift=False, labels=False),
    "pactran_dirichlet": Claims(noise=lambda n, d, k: (-np.log(k) / k - 0.2, -np.log(k) / k)),
    "pactran_gamma": Claims(noise=lambda n, d, k: (-np.log(k) / k - 1.2, -np.log(k) / k - 1.0)),
}
