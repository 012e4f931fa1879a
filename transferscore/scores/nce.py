"""NCE: how much of the labels the model's own source classes give away."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from transferscore.errors import InputError
from transferscore.scores.score import ScoreInfo
from transferscore.statistics import Statistics
from transferscore.statistics.rows import check_features
from transferscore.statistics.source import SourceClasses

__all__ = ["INFO", "nce", "nce_from_statistics", "source_classes_of"]


def nce(source_probabilities: ArrayLike, labels: ArrayLike) -> float:
    r"""Tell how certain the target label is once the model's most likely source class is known.

    .. math:: -H(Y \mid Z) = \tfrac1n \sum_i \log \hat p(y_i \mid z_i), \quad
              z_i = \arg\max_c \theta_{ic}

    Args:
        source_probabilities: `(n_samples, n_source_classes)`, non-negative.
        labels: `(n_samples,)` classes.

    Returns:
        Nats, in [-ln K, 0]; 0 when the source class decides the label. An uninformative source
        class stands near -H(Y), above it when source classes are many and samples few.

    Raises:
        InputError: Shapes do not match, a value is negative or not finite, or one class only.

    References:
        Tran et al. (2019), Transferability and hardness of supervised classification tasks, ICCV.

    Examples:
        >>> p = [[.9, .1], [.8, .2], [.3, .7], [.2, .8], [.4, .6]]
        >>> round(nce(p, [0, 0, 1, 1, 0]), 6)
        -0.381909
    """
    checked = check_features(source_probabilities, "source_probabilities")
    return nce_from_statistics(Statistics(checked, labels, source_probabilities=checked))


def nce_from_statistics(statistics: Statistics) -> float:
    """NCE from shared statistics; see `nce`."""
    source = source_classes_of(statistics)
    codes, n_classes = statistics.targets.class_codes(), statistics.targets.n_columns
    joint = np.zeros((n_classes, source.n_classes))
    np.add.at(joint, (codes, source.likeliest()), 1.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        terms = joint * np.log(joint / joint.sum(axis=0))
    return float(np.nansum(terms) / statistics.n_samples)


def source_classes_of(statistics: Statistics) -> SourceClasses:
    """The source-class probabilities.

    Raises:
        InputError: The statistics were made without them.
    """
    if (source := statistics.source) is None:
        raise InputError(
            "This score needs `source_probabilities`, the model's own class probabilities "
            "(n_samples, n_source_classes); none were given."
        )
    return source


INFO = ScoreInfo(
    name="nce",
    tells="how certain the label is once the model's most likely source class is known",
    range="-ln K to 0, nats",
    chance="-H(Y), the entropy of the labels; above it when n is small against the source classes",
    paper="Tran et al. (2019), Transferability and hardness of supervised classification tasks, "
    "ICCV",
    bibtex="""@inproceedings{tran2019nce,
  title = {Transferability and Hardness of Supervised Classification Tasks},
  author = {Tran, Anh T. and Nguyen, Cuong V. and Hassner, Tal},
  booktitle = {IEEE/CVF International Conference on Computer Vision},
  year = {2019}
}""",
    compute=nce_from_statistics,
    needs_source=True,
)
