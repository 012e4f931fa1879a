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
    "GBC is near 0, its best, whatever the labels",
    r"\d+ of \d+ classes have one sample",
    "Every class has one sample, so GBC is 0",
    ".* is (as good as perfect|too good) whatever the labels",
    "The features do not vary within the classes",
    "Debiased CKA is undefined",
    "TransRate is .* for classes drawn at random",
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


def _lfc_noise(n: int, d: int, k: int) -> tuple[float, float]:
    """Random eigenvalues have a squared sum of n d (n + d) where the sum is n d."""
    chance = np.sqrt((k - 1) * d / (n + d) / n)
    return chance - 0.01, chance + 0.01


def _gbc_noise(n: int, d: int, k: int) -> tuple[float, float]:
    chance = -k * (k - 1) * np.exp(-min(d, 64 if n > 64 else d) * 2 * k / n / 8)
    return chance - 0.25, chance + 0.25


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
    "lda": Claims(
        repeated="rises",
        noise=lambda n, d, k: (1 / k - 0.03, 1 / k + 0.03),
        constant=lambda k: 1 / k,
    ),
    "transrate": Claims(scale=False, widths=False, constant=lambda k: 0.0),
    "gbc": Claims(noise=_gbc_noise, constant=lambda k: -k * (k - 1)),
    "sfda": Claims(
        rotation=False,
        scale=False,
        noise=lambda n, d, k: (1 / k, 1.0),
        constant=lambda k: 1 / k,
    ),
    "ncti_mean_posterior": Claims(
        scale=False,
        noise=lambda n, d, k: (1 / k, 1.0),
        constant=lambda k: 1 / k,
    ),
    "ncti_feature_nuclear_norm": Claims(
        scale=False,
        noise=lambda n, d, k: (np.sqrt(n) * min(k - 1, d), np.inf),
        constant=lambda k: 0.0,
    ),
    "ncti_log_class_nuclear_norm": Claims(
        scale=False,
        labels=False,
        noise=lambda n, d, k: (-0.5 * np.log(n * k * min(k, n / k)), -0.5 * np.log(n / k)),
    ),
    "lfc": Claims(shift=False, repeated="same", noise=_lfc_noise, constant=lambda k: 0.0),
}
