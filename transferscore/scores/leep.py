"""LEEP: how well the model's source-class probabilities predict the labels."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from transferscore.scores.nce import source_classes_of
from transferscore.scores.score import ScoreInfo
from transferscore.statistics import Statistics, Targets
from transferscore.statistics.rows import check_features
from transferscore.statistics.source import SourceClasses

__all__ = ["INFO", "expected_predictions", "leep", "leep_from_statistics"]


def leep(source_probabilities: ArrayLike, labels: ArrayLike) -> float:
    r"""Tell how well a classifier that only reads the source-class probabilities would do.

    .. math:: \tfrac1n \sum_i \log \sum_z \hat P(y_i \mid z) \, \theta_{iz}, \quad
              \hat P(y, z) = \tfrac1n \sum_{i: y_i = y} \theta_{iz}

    Probabilities are used as they are, rows not renormalised; a source class without any mass
    contributes nothing.

    Args:
        source_probabilities: `(n_samples, n_source_classes)`, non-negative.
        labels: `(n_samples,)` classes.

    Returns:
        Nats, at most 0; 0 when the prediction is certain and right. Uninformative probabilities
        stand at -H(Y), the entropy of the labels.

    Raises:
        InputError: Shapes do not match, a value is negative or not finite, or one class only.

    References:
        Nguyen et al. (2020), LEEP: A new measure to evaluate transferability of learned
        representations, ICML.

    Examples:
        >>> p = [[.9, .1], [.8, .2], [.3, .7], [.2, .8], [.4, .6]]
        >>> round(leep(p, [0, 0, 1, 1, 0]), 6)
        -0.503745
    """
    checked = check_features(source_probabilities, "source_probabilities")
    return leep_from_statistics(Statistics(checked, labels, source_probabilities=checked))


def leep_from_statistics(statistics: Statistics) -> float:
    """LEEP from shared statistics; see `leep`."""
    expected = expected_predictions(source_classes_of(statistics), statistics.targets)
    return float(np.log(expected).mean())


def expected_predictions(source: SourceClasses, targets: Targets) -> NDArray[np.float64]:
    """What a classifier that only reads source probabilities gives each sample's label `(n,)`."""
    codes, conditional = targets.class_codes(), _label_given_source(source, targets)
    expected = np.empty(len(source))
    for rows, block in source.blocks():
        expected[rows] = np.einsum("ij,ij->i", block, conditional[codes[rows]])
    return expected


def _label_given_source(source: SourceClasses, targets: Targets) -> NDArray[np.float64]:
    """`(K, C)` estimated probability of each label given each source class."""
    joint = np.zeros((targets.n_columns, source.n_classes))
    for rows, block in source.blocks():
        joint += targets.matrix(rows).T @ block
    mass = joint.sum(axis=0)
    conditional: NDArray[np.float64] = np.zeros_like(joint)
    np.divide(joint, mass, out=conditional, where=mass > 0.0)
    return conditional


INFO = ScoreInfo(
    name="leep",
    tells="how well the model's own class probabilities predict the labels",
    range="at most 0, nats",
    chance="-H(Y), the entropy of the labels",
    paper="Nguyen et al. (2020), LEEP: A new measure to evaluate transferability of learned "
    "representations, ICML",
    bibtex="""@inproceedings{nguyen2020leep,
  title = {{LEEP}: A New Measure to Evaluate Transferability of Learned Representations},
  author = {Nguyen, Cuong V. and Hassner, Tal and Seeger, Matthias and Archambeau, Cedric},
  booktitle = {International Conference on Machine Learning},
  year = {2020}
}""",
    compute=leep_from_statistics,
    needs_source=True,
)
