"""PARC: whether samples that the model finds unlike have unlike labels."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from transferscore.scores.score import ScoreInfo
from transferscore.statistics import Statistics
from transferscore.statistics.principal import principal_coordinates
from transferscore.statistics.rows import row_blocks

__all__ = ["INFO", "parc", "parc_from_statistics"]

# Correlations that differ by less are equal but for rounding, and equal they must stay.
_DECIMALS = 12

# Multiply-adds of a singular value decomposition worth its signs: about half a second.
_LARGEST_DECOMPOSITION = 1e9


def parc(
    features: ArrayLike,
    labels: ArrayLike,
    *,
    n_components: int | None = 32,
    max_samples: int = 2000,
    seed: int = 0,
    task: str = "classification",
) -> float:
    r"""Tell whether samples that the model finds unlike have unlike labels.

    .. math:: 100 \, \rho(\{1 - r(f_i, f_j)\}_{i<j}, \{1 - r(y_i, y_j)\}_{i<j}),

    with Spearman's rank correlation rho over pairs of samples, Pearson's r between two rows of
    standardised features and of one-hot labels. Labels are exactly alike or exactly unlike: the
    published code leaves that tie to rounding, and is off by up to a quarter.

    A row's mean, and with it r, depends on which way each principal component points. That is left
    as LAPACK's decomposition of the centred features has it, as published, and so the order of the
    samples has a say; where that decomposition would cost too much (beyond 1000 x 1000, say), the
    largest entry of each component points up.

    Args:
        features: `(n_samples, n_features)`.
        labels: `(n_samples,)` classes, or `(n_samples, m)` of 0/1.
        n_components: Principal components kept where there are more features; None for all
            features as they are.
        max_samples: Where there are more, a sample of this size stands for them, with a warning;
            time and memory go with its square.
        seed: Of that sample.
        task: "classification" or "multilabel".

    Returns:
        Between -100 and 100; 0 is chance, for every n and d.

    Raises:
        InputError: Shapes do not match, a value is not finite, or one class only.

    References:
        Bolya et al. (2021), Scalable diverse model selection for accessible transfer learning,
        NeurIPS.

    Examples:
        >>> x = [[1, 0, 3], [2, 1, 4], [0, 1, 0], [1, 2, 1], [3, 1, 6]]
        >>> round(parc(x, [0, 0, 1, 1, 0]), 4)
        86.0663
    """
    statistics = Statistics(features, labels, task=task)
    return parc_from_statistics(statistics, n_components, max_samples, seed)


def parc_from_statistics(
    statistics: Statistics, n_components: int | None = 32, max_samples: int = 2000, seed: int = 0
) -> float:
    """PARC from shared statistics; see `parc`."""
    # Half of the time that all of this package takes to load; few rankings ask for this score.
    from scipy.stats import rankdata

    points = _points(statistics, n_components)
    rows = _sampled(statistics.n_samples, max_samples, seed)
    unlike = _dissimilarities(_unit_rows(points, "features")[rows])
    ranks = rankdata(unlike)
    if (codes := statistics.targets.codes) is not None:
        correlation = _rank_sum(ranks, _pairs(codes[rows, None] != codes[None, rows]))
    else:
        columns = statistics.targets.matrix()
        columns = columns[:, statistics.target_scatter > 0.0]
        labels_unlike = _dissimilarities(_unit_rows(columns, "labels")[rows])
        correlation = _pearson(ranks, rankdata(labels_unlike))
    return 100.0 * correlation


def _points(statistics: Statistics, n_components: int | None) -> NDArray[np.float64]:
    """The samples with each column standardised `(n, k)`; one that does not vary is zero."""
    if n_components is not None and n_components < statistics.n_features:
        points = _principal(statistics, n_components)
    else:
        points = statistics.features - statistics.mean
    spread = np.sqrt(np.mean(points**2, axis=0))
    standardised: NDArray[np.float64] = points / np.where(spread > 0.0, spread, 1.0)
    return standardised


def _principal(statistics: Statistics, n_components: int) -> NDArray[np.float64]:
    n, d = statistics.features.shape
    if n * d * min(n, d) > _LARGEST_DECOMPOSITION:
        return principal_coordinates(statistics, n_components)
    centered = statistics.features - statistics.mean
    _, sizes, right = np.linalg.svd(centered, full_matrices=False)
    # A direction of rounding noise, standardised, would weigh as much as any other.
    rank = int(np.sum(sizes > sizes[0] * max(n, d) * np.finfo(np.float64).eps))
    points: NDArray[np.float64] = centered @ right[: min(n_components, rank)].T
    return points


def _sampled(n: int, max_samples: int, seed: int) -> NDArray[np.int64]:
    if n <= max_samples:
        return np.arange(n)
    warnings.warn(
        f"PARC compares {max_samples} of the {n} samples, drawn with seed {seed}: "
        "its cost goes with their square. Pass max_samples to change that.",
        RuntimeWarning,
        stacklevel=4,
    )
    return np.sort(np.random.default_rng(seed).choice(n, max_samples, replace=False))


def _unit_rows(points: NDArray[np.float64], name: str) -> NDArray[np.float64]:
    """Rows about their own mean and of unit length, so that products are correlations.

    A row whose entries are all equal has no direction: it is set to zero, unlike any other by 1.
    """
    centered = points - points.mean(axis=1, keepdims=True) if points.size else points
    length = np.sqrt(np.einsum("ij,ij->i", centered, centered))
    # Rounding leaves this much of a row whose entries are equal.
    size = np.sqrt(np.einsum("ij,ij->i", points, points))
    flat = length <= 8 * np.finfo(np.float64).eps * size
    if flat.any() and name == "features":
        warnings.warn(
            f"PARC is undefined for {int(flat.sum())} of {len(flat)} samples, whose standardised "
            "features are all equal; they count as uncorrelated with every other.",
            RuntimeWarning,
            stacklevel=4,
        )
    unit: NDArray[np.float64] = centered / np.where(flat, 1.0, length)[:, None]
    unit[flat] = 0.0
    return unit


def _dissimilarities(unit: NDArray[np.float64]) -> NDArray[np.float64]:
    """1 - correlation of each pair of rows i < j `(n (n - 1) / 2,)`, in blocks of rows."""
    parts = [np.round(1.0 - unit[b] @ unit.T, _DECIMALS) for b in row_blocks(len(unit), len(unit))]
    return _pairs(np.concatenate(parts))


def _pairs(square: NDArray[Any]) -> NDArray[Any]:
    """The entries above the diagonal."""
    above = np.arange(len(square))[:, None] < np.arange(len(square))
    entries: NDArray[Any] = square[above]
    return entries


def _rank_sum(ranks: NDArray[np.float64], unlike: NDArray[np.bool_]) -> float:
    """Pearson's correlation of ranks with a two-level variable: a difference of two means."""
    share, spread = float(unlike.mean()), float(ranks.std())
    if share in (0.0, 1.0) or spread == 0.0:
        return _undefined("labels" if spread else "features")
    apart = float(ranks[unlike].mean() - ranks[~unlike].mean())
    return apart * float(np.sqrt(share * (1.0 - share))) / spread


def _pearson(a: NDArray[np.float64], b: NDArray[np.float64]) -> float:
    a, b = a - a.mean(), b - b.mean()
    scale = float(np.sqrt((a @ a) * (b @ b)))
    return float(a @ b) / scale if scale > 0.0 else _undefined("labels" if a.any() else "features")


def _undefined(name: str) -> float:
    warnings.warn(
        f"PARC is undefined, and given as 0: all pairs of {name} are equally unlike.",
        RuntimeWarning,
        stacklevel=5,
    )
    return 0.0


INFO = ScoreInfo(
    name="parc",
    tells="whether samples that the model finds unlike have unlike labels (of 2000 at most)",
    range="-100 to 100",
    chance="0 for every n and d",
    paper="Bolya, Mittapalli & Hoffman (2021), Scalable diverse model selection for accessible "
    "transfer learning, NeurIPS",
    bibtex="""@inproceedings{bolya2021parc,
  title = {Scalable Diverse Model Selection for Accessible Transfer Learning},
  author = {Bolya, Daniel and Mittapalli, Rohit and Hoffman, Judy},
  booktitle = {Advances in Neural Information Processing Systems},
  year = {2021}
}""",
    compute=parc_from_statistics,
    tasks=("classification", "multilabel"),
)
