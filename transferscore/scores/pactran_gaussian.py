"""PACTran with Gaussian priors: a bound on the loss of a linear classifier of the features."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from transferscore.errors import InputError
from transferscore.scores.pactran import BIBTEX, PAPER
from transferscore.scores.score import ScoreInfo
from transferscore.statistics import Statistics
from transferscore.statistics.logistic import LogisticFit, fit_logistic, log_probabilities

__all__ = ["INFO", "pactran_gaussian", "pactran_gaussian_from_statistics"]

# Beyond this many entries times classes, the first steps are taken in single precision.
_SMALL = 2e7


def pactran_gaussian(
    features: ArrayLike, labels: ArrayLike, *, lam: float = 1.0, s_over_lam: float = 10.0
) -> float:
    r"""Tell how well a linear classifier fits, the flatness of its optimum counted in.

    .. math:: -\min_{W, b} \Big[\tfrac1n \sum_i -\log p_{i y_i} + \tfrac{|W|^2}{2 \lambda n}\Big]
              - \tfrac{K s}{2 n} \log\Big(1 + \tfrac{\lambda n}{K d}
              \sum_i (1 + |f_i|^2) \sum_k p_{ik} (1 - p_{ik})\Big)

    with features f about their mean and p the classifier's probabilities at the optimum. The sign
    is turned (in the paper lower is better), and the optimum is reached, where the published code
    stops after 100 steps from a random start.

    Args:
        features: `(n_samples, n_features)`.
        labels: `(n_samples,)` classes.
        lam: The variance lambda of the prior on weights; the paper tries 0.1, 1 and 10.
        s_over_lam: s, the weight of the flatness term; the paper tries 10 and 100.

    Returns:
        Below 0, nats. Uninformative features stand at -H(Y), the entropy of the labels, less the
        flatness term, when n is large against d, and above when not, since the fit is in sample.
        Compare values for the same labels only, and mind that the flatness term favours wide
        features whatever they hold.

    Raises:
        InputError: Shapes do not match, a value is not finite, one class only, or `lam` or
            `s_over_lam` is not positive.

    References:
        Ding et al. (2022), PACTran: PAC-Bayesian metrics for estimating the transferability of
        pretrained models to classification tasks, ECCV.

    Examples:
        >>> x = [[1, 0], [2, 1], [0, 1], [1, 2], [3, 1]]
        >>> round(pactran_gaussian(x, [0, 0, 1, 1, 0]), 4)
        -3.8261
    """
    return pactran_gaussian_from_statistics(Statistics(features, labels), lam, s_over_lam)


def pactran_gaussian_from_statistics(
    statistics: Statistics, lam: float = 1.0, s_over_lam: float = 10.0
) -> float:
    """PACTran-Gaussian from shared statistics; see `pactran_gaussian`."""
    for name, number in {"lam": lam, "s_over_lam": s_over_lam}.items():
        if not number > 0.0:
            raise InputError(f"`{name}` must be positive; got {number}.")
    n, n_classes = statistics.n_samples, statistics.targets.n_columns
    optimum = _optimum(statistics, lam)
    stretch = lam * n * optimum.curvature / (n_classes * statistics.n_features)
    flatness = n_classes * s_over_lam / (2 * n) * np.log1p(stretch)
    return float(-optimum.loss - flatness)


@dataclass(frozen=True, slots=True)
class _Optimum:
    loss: float
    curvature: float


def _optimum(statistics: Statistics, lam: float) -> _Optimum:
    """The least penalised loss, mean over samples, and the trace of its curvature, the prior's off.

    Half the squares of W over lambda are diagonal in the coordinates of the spectrum, too.
    """
    spectrum, n = statistics.spectrum, statistics.n_samples
    codes = statistics.targets.class_codes()
    left = spectrum.left_rows(statistics.features, statistics.mean, slice(0, n))
    penalties = 1.0 / (lam * spectrum.eigenvalues)
    fit = _fit(left, codes, penalties, statistics.target_mean)
    logs = log_probabilities(left, fit)
    cost = 0.5 * float(np.sum(penalties[:, None] * fit.weights**2))
    loss = (cost - float(logs[np.arange(n), codes].sum())) / n
    shares = np.exp(logs)
    spread = np.sum(shares * (1.0 - shares), axis=1)
    lengths = (left**2) @ spectrum.eigenvalues
    return _Optimum(loss, float(spread @ (1.0 + lengths)))


def _fit(
    left: NDArray[Any],
    codes: NDArray[np.int64],
    penalties: NDArray[np.float64],
    shares: NDArray[np.float64],
) -> LogisticFit:
    fit = LogisticFit(np.zeros((left.shape[1], len(shares))), np.log(shares))
    if left.size * len(shares) > _SMALL:
        fit = fit_logistic(left.astype(np.float32), codes, penalties, fit, tolerance=1e-3)
        fit = fit_logistic(left, codes, penalties, fit, tolerance=1e-5)
    else:
        fit = fit_logistic(left, codes, penalties, fit, tolerance=1e-8)
    if not fit.converged:
        warnings.warn(
            "PACTran stopped before the optimum of its classifier: the classes separate, and the "
            "prior is so wide that nothing holds the weights. Pass a smaller lam.",
            RuntimeWarning,
            stacklevel=5,
        )
    return fit


INFO = ScoreInfo(
    name="pactran_gaussian",
    tells="how well a linear classifier fits, the flatness of its optimum counted in",
    range="below 0, nats",
    chance="-H(Y), the entropy of the labels, less the flatness term when n is large against d; "
    "above, in sample, when not",
    paper=PAPER,
    bibtex=BIBTEX,
    compute=pactran_gaussian_from_statistics,
)
