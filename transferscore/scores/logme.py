"""LogME: the evidence that a Bayesian linear model finds in the features for the labels."""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np
from numpy.polynomial import chebyshev
from numpy.typing import ArrayLike, NDArray

from transferscore.scores.score import ALL_TASKS, ScoreInfo
from transferscore.statistics import Spectrum, Statistics
from transferscore.statistics.rows import row_blocks

__all__ = ["INFO", "logme", "logme_from_statistics"]

_GRID_POINTS = 81
_DECADES_BEYOND = 10.0
_NODES = chebyshev.chebpts1(16)
_NEAR = np.linspace(-1.0, 1.0, 257)
# Takes values at the nodes to those of the polynomial through them at the near points.
_BETWEEN = chebyshev.chebvander(_NEAR, len(_NODES) - 1) @ np.linalg.inv(
    chebyshev.chebvander(_NODES, len(_NODES) - 1)
)
_BLOCK_BYTES = 8 * 2**20


def logme(features: ArrayLike, labels: ArrayLike, *, task: str = "classification") -> float:
    r"""Tell how well a linear model explains the labels, the cost of its complexity taken off.

    The mean over target columns y (0/1 indicators for classes) of

    .. math:: \max_{\alpha, \beta} \tfrac1n \log p(y \mid F, \alpha, \beta),

    with weights :math:`w \sim N(0, I/\alpha)` and :math:`y \sim N(Fw, I/\beta)`, no intercept and
    no centring. The published loop stops early and is off for n < d; this is the maximum itself.

    Args:
        features: `(n_samples, n_features)`.
        labels: `(n_samples,)` classes, or numbers `(n_samples,)` or `(n_samples, m)`.
        task: "classification", "multilabel" or "regression".

    Returns:
        Nats per sample, unbounded; compare values for the same labels only. Uninformative features
        stand near `-0.5 * mean(log(2 * pi * e * mean(y ** 2)))`, or up to the same with `var(y)`
        where they lie far from the origin, which serves as an intercept. Infinite, with a warning,
        where fewer directions than samples reproduce a column exactly. Constant columns are left
        out, with a warning.

    Raises:
        InputError: Shapes do not match, a value is not finite, or one class only.

    References:
        You et al. (2021), LogME: Practical assessment of pre-trained models for transfer learning,
        ICML.

    Examples:
        >>> round(logme([[1, 0], [2, 1], [0, 1], [1, 2], [3, 1]], [0, 0, 1, 1, 0]), 4)
        -0.8014
    """
    return logme_from_statistics(Statistics(features, labels, task=task))


def logme_from_statistics(statistics: Statistics) -> float:
    """LogME from shared statistics; see `logme`."""
    varying = statistics.target_scatter > 0.0
    if not varying.all():
        warnings.warn(
            f"LogME leaves out {int((~varying).sum())} target columns that are constant.",
            RuntimeWarning,
            stacklevel=3,
        )
    evidence = _Evidence.of(statistics, varying)
    if np.isinf(best := _maximum(evidence)).any():
        warnings.warn(
            "LogME is infinite: fewer directions than samples reproduce the targets exactly.",
            RuntimeWarning,
            stacklevel=3,
        )
    return float(best.mean())


@dataclass(frozen=True, slots=True)
class _Evidence:
    """The log evidence of each of m columns as a function of t = alpha / beta, beta at its best.

    Works on centred quantities and adds the mean as a rank-one term, which is exact and keeps the
    digits that subtracting a large mean would lose.
    """

    n_samples: int
    spectrum: Spectrum
    target_mean: NDArray[np.float64]  # (m,)
    coordinates: NDArray[np.float64]  # (m, r)
    unreached: NDArray[np.float64]  # (m,) squares of the centred column outside the features' span

    @classmethod
    def of(cls, statistics: Statistics, columns: NDArray[np.bool_]) -> _Evidence:
        spectrum, n = statistics.spectrum, statistics.n_samples
        coordinates = np.ascontiguousarray(spectrum.targets[:, columns].T)
        squares = statistics.target_scatter[columns]
        unreached = squares - np.sum(coordinates**2, axis=1)
        # Below this the difference is rounding noise; n - 1 directions reach every centred column.
        noise = 4 * n * np.finfo(np.float64).eps * squares
        unreached[(unreached < noise) | (spectrum.rank == n - 1)] = 0.0
        return cls(n, spectrum, statistics.target_mean[columns], coordinates, unreached)

    def at(self, t: NDArray[np.float64]) -> NDArray[np.float64]:
        """Log evidence per sample `(g, m)`, each column at its own values of `t` `(g, m)`."""
        spectrum, n = self.spectrum, self.n_samples
        inverse = 1.0 / (spectrum.eigenvalues + t[..., None])  # (g, m, r)
        residual = self.unreached + t * np.sum(self.coordinates**2 * inverse, axis=-1)
        slope = spectrum.mean * np.sqrt(spectrum.eigenvalues)
        intercept = self.target_mean - np.sum(self.coordinates * slope * inverse, axis=-1)
        stretch = n * (inverse @ spectrum.mean**2 + spectrum.mean_residual / t)
        complexity = np.log1p(spectrum.eigenvalues / t[..., None]).sum(axis=-1) + np.log1p(stretch)
        return self._value(residual + n * intercept**2 / (1.0 + stretch), complexity)

    def over(self, t: NDArray[np.float64]) -> NDArray[np.float64]:
        """Log evidence per sample `(g, m)`, every column at each of `t` `(g,)`, by products."""
        spectrum, n = self.spectrum, self.n_samples
        inverse = 1.0 / (spectrum.eigenvalues + t[:, None])  # (g, r)
        residual = self.unreached + t[:, None] * (inverse @ (self.coordinates**2).T)
        slope = spectrum.mean * np.sqrt(spectrum.eigenvalues)
        intercept = self.target_mean - inverse @ (self.coordinates * slope).T
        stretch = n * (inverse @ spectrum.mean**2 + spectrum.mean_residual / t)
        complexity = np.log1p(spectrum.eigenvalues / t[:, None]).sum(axis=1) + np.log1p(stretch)
        loss = residual + n * intercept**2 / (1.0 + stretch[:, None])
        return self._value(loss, complexity[:, None])

    def _value(
        self, loss: NDArray[np.float64], complexity: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        with np.errstate(divide="ignore"):
            fit = np.log(2.0 * np.pi * loss / self.n_samples) + 1.0
        value: NDArray[np.float64] = -0.5 * (fit + complexity / self.n_samples)
        return value

    def grid(self) -> NDArray[np.float64]:
        """Values of log t that reach past every scale of the features on both sides."""
        length = float(self.spectrum.mean @ self.spectrum.mean) + self.spectrum.mean_residual
        scales = np.append(self.spectrum.eigenvalues, self.n_samples * length)
        scales = scales[scales > 0.0] if (scales > 0.0).any() else np.ones(1)
        beyond = _DECADES_BEYOND * np.log(10.0)
        low, high = np.log(scales.min()) - beyond, np.log(scales.max()) + beyond
        return np.linspace(low, high, _GRID_POINTS)

    def is_unbounded(self) -> NDArray[np.bool_]:
        """Whether a column is reproduced exactly by fewer directions than samples `(m,)`."""
        spectrum, eps = self.spectrum, np.finfo(np.float64).eps
        reproduced = self.unreached == 0.0
        directions = spectrum.rank + 1
        if spectrum.mean_residual == 0.0:
            # No direction is left over for an intercept: the slopes must meet the mean as well.
            slope = spectrum.mean / np.sqrt(spectrum.eigenvalues)
            gap = np.abs(self.target_mean - self.coordinates @ slope)
            size = np.abs(self.target_mean) + np.abs(self.coordinates) @ np.abs(slope)
            reproduced &= gap <= 4 * self.n_samples * eps * size
            directions = spectrum.rank
        unbounded: NDArray[np.bool_] = reproduced & (directions < self.n_samples)
        return unbounded


def _maximum(evidence: _Evidence) -> NDArray[np.float64]:
    """The maximum over t: a grid first, since there may be several maxima, then within a step."""
    grid = evidence.grid()
    values = evidence.over(np.exp(grid))  # (g, m)
    best = values.argmax(axis=0)
    low, high = grid[np.maximum(best - 1, 0)], grid[np.minimum(best + 1, len(grid) - 1)]
    refined = np.maximum(values.max(axis=0), _within(evidence, low, high))
    return np.where(evidence.is_unbounded(), np.inf, refined)


def _within(
    evidence: _Evidence, low: NDArray[np.float64], high: NDArray[np.float64]
) -> NDArray[np.float64]:
    """The maximum of each column between `low` and `high` (log t), all columns at once.

    As a function of log t the evidence is analytic on a strip about the axis that is wider than
    the interval is long, so that the polynomial through a few Chebyshev points has its maximum in
    the same place.
    """
    center, half = (low + high) / 2.0, (high - low) / 2.0
    t = np.exp(center + half * _NODES[:, None])
    blocks = row_blocks(len(t), t.shape[1] * len(evidence.spectrum.eigenvalues), _BLOCK_BYTES)
    values = np.concatenate([evidence.at(t[block]) for block in blocks])
    # Where the loss vanishes there is nothing to interpolate.
    place = _peak(_BETWEEN @ np.nan_to_num(values, posinf=0.0, neginf=0.0))
    found = evidence.at(np.exp(center + half * place)[None])[0]
    largest: NDArray[np.float64] = np.maximum(values.max(axis=0), found)
    return largest


def _peak(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Where each column of values at the near points is largest, by the parabola through three."""
    top = np.clip(values.argmax(axis=0), 1, len(_NEAR) - 2)
    columns = np.arange(values.shape[1])
    left, middle, right = (values[top + step, columns] for step in (-1, 0, 1))
    bend = 2.0 * middle - left - right
    step = np.divide(right - left, 2.0 * bend, out=np.zeros_like(bend), where=bend > 0.0)
    place: NDArray[np.float64] = _NEAR[top] + np.clip(step, -1.0, 1.0) * (_NEAR[1] - _NEAR[0])
    return place


INFO = ScoreInfo(
    name="logme",
    tells="how well a linear model explains the labels, its complexity taken off",
    range="unbounded, nats per sample",
    chance="-0.5 * mean over columns of log(2 pi e mean(y^2)), var(y) far from the origin",
    paper="You et al. (2021), LogME: Practical assessment of pre-trained models for transfer "
    "learning, ICML",
    bibtex="""@inproceedings{you2021logme,
  title = {{LogME}: Practical Assessment of Pre-trained Models for Transfer Learning},
  author = {You, Kaichao and Liu, Yong and Wang, Jianmin and Long, Mingsheng},
  booktitle = {International Conference on Machine Learning},
  year = {2021}
}""",
    compute=logme_from_statistics,
    tasks=ALL_TASKS,
    on_moments=ALL_TASKS,
)
