"""TransRate: how much shorter a code of the features becomes once the classes are known."""

from __future__ import annotations

import warnings

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.linalg import qr

from transferscore.errors import InputError
from transferscore.scores.score import ScoreInfo
from transferscore.statistics import Statistics
from transferscore.statistics.random_rows import random_rows_log_det

__all__ = ["INFO", "VARIANTS", "transrate", "transrate_from_statistics"]

VARIANTS = ("tllib", "paper", "normalised")


def transrate(
    features: ArrayLike,
    labels: ArrayLike,
    *,
    eps: float = 1e-4,
    variant: str = "tllib",
    adjusted: bool = False,
) -> float:
    r"""Tell how many nats the class of a sample saves in coding its features to a given precision.

    .. math:: R(Z) - \sum_c w_c R(Z_c), \quad
              R(Z) = \tfrac12 \log\det(I + \tfrac{1}{n \epsilon} Z^T Z),

    with the features Z centred as a whole, not class by class. The published variants differ:

    - "tllib", of the Transfer Learning Library: every class weighs 1/K, whatever its size;
    - "paper": a class weighs its share n_c/n;
    - "normalised": shares, and Z divided by its Frobenius norm, so that scale does not count.

    Args:
        features: `(n_samples, n_features)`.
        labels: `(n_samples,)` classes.
        eps: Squared distortion allowed, in the squared units of the features.
        variant: "tllib", "paper" or "normalised".
        adjusted: Whether to take off what classes drawn at random would save, in closed form.

    Returns:
        Nats, larger for classes that take different directions, larger also with the features'
        width and scale (but for "normalised"). Pure noise stands well above 0, the more so the
        fewer the samples: at R(Z) less the expected rate of as many rows drawn at random. A warning
        gives that level where it is most of the value. The adjusted value of noise is 0.

    Raises:
        InputError: Shapes do not match, a value is not finite, one class only, `eps` not positive,
            or an unknown variant.

    References:
        Huang et al. (2022), Frustratingly easy transferability estimation, ICML.

    Examples:
        >>> x = [[4, 1], [6, 0], [0, 5], [1, 4], [5, 1]]
        >>> round(transrate(x, [0, 0, 1, 1, 0], adjusted=True), 6)
        0.101113
    """
    return transrate_from_statistics(
        Statistics(features, labels), eps=eps, variant=variant, adjusted=adjusted
    )


def transrate_from_statistics(
    statistics: Statistics, *, eps: float = 1e-4, variant: str = "tllib", adjusted: bool = False
) -> float:
    """TransRate from shared statistics; see `transrate`."""
    _check(eps, variant)
    eigenvalues, n = statistics.spectrum.eigenvalues, statistics.n_samples
    counts = statistics.targets.counts()
    if variant == "normalised" and len(eigenvalues) > 0:
        # Dividing the features by their norm is multiplying the distortion by its square.
        eps = eps * float(eigenvalues.sum())
    weights = np.full(len(counts), 1.0 / len(counts)) if variant == "tllib" else counts / n
    rates = float(weights @ _class_rates(statistics, counts, eps))
    by_chance = float(weights @ _random_rates(eigenvalues, counts, eps))
    if adjusted:
        return by_chance - rates
    whole = 0.5 * float(np.sum(np.log1p(eigenvalues / (n * eps))))
    _warn_of_chance(whole - rates, whole - by_chance)
    return whole - rates


def _random_rates(
    eigenvalues: NDArray[np.float64], counts: NDArray[np.int64], eps: float
) -> NDArray[np.float64]:
    """Expected coding rate `(K,)` of classes of these sizes, drawn at random."""
    sizes, places = np.unique(counts, return_inverse=True)
    n = int(counts.sum())
    rates = [
        0.5 * random_rows_log_det(eigenvalues, n, int(m), 1.0 / (float(m) * eps)) for m in sizes
    ]
    by_class: NDArray[np.float64] = np.array(rates)[places]
    return by_class


def _warn_of_chance(value: float, chance: float) -> None:
    if chance > 0.8 * value and chance > 0.0:
        warnings.warn(
            f"TransRate is {value:.4g}, and {chance:.4g} for classes drawn at random: they have "
            "few samples for the features, or mean nothing to them. Use adjusted=True, or lda.",
            RuntimeWarning,
            stacklevel=4,
        )


def _class_rates(
    statistics: Statistics, counts: NDArray[np.int64], eps: float
) -> NDArray[np.float64]:
    """Coding rate of each class `(K,)`."""
    order = np.argsort(statistics.targets.class_codes(), kind="stable")
    ends = np.cumsum(counts)
    rates = np.empty(len(counts))
    for i, (end, count) in enumerate(zip(ends, counts, strict=True)):
        rows = statistics.features[order[end - count : end]] - statistics.mean
        rates[i] = _coding_rate(rows / np.sqrt(count * eps))
    return rates


def _coding_rate(rows: NDArray[np.float64]) -> float:
    """Half the log-determinant of I + Z^T Z, on the smaller side of Z.

    By triangles of Z itself: I + Z^T Z would lose directions small beside the largest.
    """
    tall = rows if rows.shape[0] >= rows.shape[1] else rows.T
    stacked = np.vstack([np.eye(tall.shape[1]), tall])
    (triangle,) = qr(stacked, mode="r", overwrite_a=True, check_finite=False)
    return float(np.sum(np.log(np.abs(np.diag(triangle)))))


def _check(eps: float, variant: str) -> None:
    if not eps > 0.0:
        raise InputError(f"`eps` must be positive; got {eps}.")
    if variant not in VARIANTS:
        raise InputError(f"`variant` must be one of {', '.join(VARIANTS)}; got {variant!r}.")


INFO = ScoreInfo(
    name="transrate",
    tells="how many nats the class of a sample saves in coding its features",
    range="unbounded; grows with the features' width and scale",
    chance="R(Z) less the rate of rows drawn at random, above 0, the more so the fewer samples a "
    "class has; 0 with adjusted=True",
    paper="Huang et al. (2022), Frustratingly easy transferability estimation, ICML",
    bibtex="""@inproceedings{huang2022frustratingly,
  title = {Frustratingly Easy Transferability Estimation},
  author = {Huang, Long-Kai and Huang, Junzhou and Rong, Yu and Yang, Qiang and Wei, Ying},
  booktitle = {International Conference on Machine Learning},
  year = {2022}
}""",
    compute=transrate_from_statistics,
)
