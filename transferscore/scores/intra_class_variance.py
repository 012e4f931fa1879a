"""Intra-class variance: the share of the feature variance that lies within classes, negated."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from transferscore.scores.score import CLASSES_ONLY, ScoreInfo
from transferscore.statistics import Statistics

__all__ = ["INFO", "intra_class_variance", "intra_class_variance_from_statistics"]


def intra_class_variance(features: ArrayLike, labels: ArrayLike) -> float:
    r"""Tell how compact the classes are: the trivial baseline that any score should beat.

    .. math:: -\frac{\sum_i \lVert f_i - \bar f_{y_i} \rVert^2}{\sum_i \lVert f_i - \bar f \rVert^2}

    Minus the variance within classes, in units of the total variance so that width and scale of the
    features cancel. It sees no direction: a feature without meaning counts by its variance alone.
    TMI (Xu & Kang, 2023) ranks models by intra-class variance too, but takes much of it for a sign
    of transferable features and so reads it the other way round: compare ranks with that in mind.

    Args:
        features: `(n_samples, n_features)`.
        labels: `(n_samples,)` classes.

    Returns:
        Between -1 and 0; 0 where every class is one point. Pure noise stands at
        -(n - K) / (n - 1), whatever the number of features; constant features at -1.

    Raises:
        InputError: Shapes do not match, a value is not finite, or one class only.

    References:
        Xu & Kang (2023), Fast and accurate transferability measurement by evaluating intra-class
        feature variance, ICCV.

    Examples:
        >>> x = [[1, 0], [2, 1], [0, 1], [1, 2], [3, 1]]
        >>> round(intra_class_variance(x, [0, 0, 1, 1, 0]), 6)
        -0.509259
    """
    return intra_class_variance_from_statistics(Statistics(features, labels))


def intra_class_variance_from_statistics(statistics: Statistics) -> float:
    """Intra-class variance from shared statistics; see `intra_class_variance`."""
    spectrum, counts = statistics.spectrum, statistics.class_counts
    total = float(spectrum.eigenvalues.sum())
    if total == 0.0:
        return -1.0
    between = spectrum.eigenvalues @ np.sum(spectrum.targets**2 / counts, axis=1)
    return min(0.0, float(between) / total - 1.0)


INFO = ScoreInfo(
    name="intra_class_variance",
    tells="how compact the classes are, direction by direction alike: the trivial baseline",
    range="-1 to 0",
    chance="-(n - K) / (n - 1), for every d",
    paper="Xu & Kang (2023), Fast and accurate transferability measurement by evaluating "
    "intra-class feature variance, ICCV, there read the other way round",
    bibtex="""@inproceedings{xu2023fast,
  title = {Fast and Accurate Transferability Measurement by Evaluating Intra-class Feature
           Variance},
  author = {Xu, Huiwen and Kang, U},
  booktitle = {IEEE/CVF International Conference on Computer Vision},
  year = {2023}
}""",
    compute=intra_class_variance_from_statistics,
    on_moments=CLASSES_ONLY,
)
