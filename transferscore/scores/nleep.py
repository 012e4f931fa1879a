"""N-LEEP: LEEP on clusters of the features, for models that have no classifier of their own."""

from __future__ import annotations

import warnings
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from transferscore.errors import InputError
from transferscore.scores.leep import expected_predictions
from transferscore.scores.score import ScoreInfo
from transferscore.statistics import Statistics
from transferscore.statistics.mixture import mixture_posteriors
from transferscore.statistics.principal import n_components_holding, principal_coordinates
from transferscore.statistics.source import SourceClasses

__all__ = ["INFO", "nleep", "nleep_from_statistics"]

_VARIANCE_KEPT = 0.8

_Components: TypeAlias = int | Literal["tenth", "five_per_class"]

_COMPONENTS = ("tenth", "five_per_class")


def nleep(
    features: ArrayLike,
    labels: ArrayLike,
    *,
    components: _Components = "tenth",
    log: bool = True,
    max_samples: int = 5000,
    seed: int = 0,
) -> float:
    r"""Tell how well a classifier that only reads which cluster a sample lies in would do.

    .. math:: \tfrac1n \sum_i \log \sum_v \hat P(y_i \mid v) \, \theta_{iv}

    LEEP with theta the posterior of a Gaussian mixture in place of source-class probabilities. The
    mixture is fitted to the principal components that hold 80 % of the variance; variants disagree
    on its size.

    Args:
        features: `(n_samples, n_features)`.
        labels: `(n_samples,)` classes.
        components: Of the mixture: "tenth" for a tenth of the samples, or as many as classes where
            there are more and samples enough (as PACTran's authors have it); "five_per_class" (as
            SFDA's have it, with `log=False`); or a number. Never more than samples.
        log: Mean of the log predictions; if not, of the predictions themselves.
        max_samples: Where there are more, a sample of this size stands for them, with a warning;
            time goes with its square.
        seed: Of the start of the mixture and of that sample. The order of the samples has a say,
            too.

    Returns:
        Nats, at most 0; between 0 and 1 without `log`. Pure noise stands above -H(Y), minus the
        entropy of the labels, since components fit the few samples that they have: with ten to
        each, by some tenths of a nat for few classes and more for many.

    Raises:
        InputError: Shapes do not match, a value is not finite, one class only, or no component.

    References:
        Li et al. (2021), Ranking neural checkpoints, CVPR.

    Examples:
        >>> x = [[1, 0], [2, 1], [0, 1], [1, 2], [3, 1], [0, 3]]
        >>> round(nleep(x, [0, 0, 1, 1, 0, 1], components=2), 4)
        -0.382
    """
    return nleep_from_statistics(Statistics(features, labels), components, log, max_samples, seed)


def nleep_from_statistics(
    statistics: Statistics,
    components: _Components = "tenth",
    log: bool = True,
    max_samples: int = 5000,
    seed: int = 0,
) -> float:
    """N-LEEP from shared statistics; see `nleep`."""
    kept = n_components_holding(statistics.spectrum, _VARIANCE_KEPT)
    points, targets = principal_coordinates(statistics, kept), statistics.targets
    rows = _sampled(len(points), max_samples, seed)
    n_components = _n_components(components, len(rows), targets.n_columns)
    # Features that do not vary have no direction; one of zeros stands for it.
    points = points[rows] if kept else np.zeros((len(rows), 1))
    posteriors = mixture_posteriors(points, n_components, seed)
    expected = expected_predictions(SourceClasses(posteriors), targets.take(rows))
    return float(np.log(expected).mean() if log else expected.mean())


def _n_components(components: _Components, n: int, n_classes: int) -> int:
    if not (isinstance(components, int) and components > 0) and components not in _COMPONENTS:
        raise InputError(
            "`components` must be 'tenth', 'five_per_class' or a number of at least 1; "
            f"got {components!r}."
        )
    if components == "tenth":
        return max(min(n_classes, int(0.2 * n)), int(0.1 * n), 1)
    return min(5 * n_classes if components == "five_per_class" else int(components), n)


def _sampled(n: int, max_samples: int, seed: int) -> NDArray[np.int64]:
    if n <= max_samples:
        return np.arange(n)
    warnings.warn(
        f"N-LEEP fits {max_samples} of the {n} samples, drawn with seed {seed}: "
        "its cost goes with their square. Pass max_samples to change that.",
        RuntimeWarning,
        stacklevel=4,
    )
    return np.sort(np.random.default_rng(seed).choice(n, max_samples, replace=False))


INFO = ScoreInfo(
    name="nleep",
    tells="how well a classifier that only reads which cluster a sample lies in would do",
    range="at most 0, nats",
    chance="above -H(Y), minus the entropy of the labels, since each cluster fits its few samples",
    paper="Li et al. (2021), Ranking neural checkpoints, CVPR",
    bibtex="""@inproceedings{li2021ranking,
  title = {Ranking Neural Checkpoints},
  author = {Li, Yandong and Jia, Xuhui and Sang, Ruoxin and Zhu, Yukun and Green, Bradley and
            Wang, Liqiang and Gong, Boqing},
  booktitle = {IEEE/CVF Conference on Computer Vision and Pattern Recognition},
  year = {2021}
}""",
    compute=nleep_from_statistics,
)
