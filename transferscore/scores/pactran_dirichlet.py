"""PACTran with Dirichlet priors: a bound on the loss of a classifier over source classes."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import digamma, gammaln

from transferscore.scores.nce import source_classes_of
from transferscore.scores.pactran import BIBTEX, PAPER, prior_counts
from transferscore.scores.score import ScoreInfo
from transferscore.statistics import Statistics
from transferscore.statistics.rows import check_features
from transferscore.statistics.variational import variational_shares

__all__ = ["INFO", "pactran_dirichlet", "pactran_dirichlet_from_statistics"]


def pactran_dirichlet(
    source_probabilities: ArrayLike, labels: ArrayLike, *, alpha: float = 1.0, n_rounds: int = 10
) -> float:
    r"""Tell what LEEP tells, the cost of learning which label goes with which source class off.

    .. math:: \tfrac{1}{nK} \Big[\sum_z \log \tfrac{B(a_z)}{B(a^0)} -
              \sum_i \mathrm{KL}(q_i \,\|\, \theta_i)\Big],
              \quad a_{yz} = a^0_y + \sum_{i: y_i = y} q_{iz},

    a bound on the evidence of the labels where each source class z has a Dirichlet distribution of
    labels with prior counts :math:`a^0_y = \alpha n_y / n`, B the multivariate beta function and q
    the source classes that the labels make likely, by 10 rounds of mutual adjustment. The sign is
    turned: in the paper lower is better.

    Args:
        source_probabilities: `(n_samples, n_source_classes)`, non-negative.
        labels: `(n_samples,)` classes.
        alpha: Prior counts of a source class in all.
        n_rounds: Rounds of adjustment.

    Returns:
        Below 0, nats over K. Uninformative probabilities stand at about -H(Y) / K, the entropy of
        the labels over their number, less a cost that fades as samples grow. Compare values for
        the same labels only.

    Raises:
        InputError: Shapes do not match, a value is negative or not finite, one class only, or
            `alpha` or `n_rounds` is not positive.

    References:
        Ding et al. (2022), PACTran: PAC-Bayesian metrics for estimating the transferability of
        pretrained models to classification tasks, ECCV.

    Examples:
        >>> p = [[.9, .1], [.8, .2], [.3, .7], [.2, .8], [.4, .6]]
        >>> round(pactran_dirichlet(p, [0, 0, 1, 1, 0]), 6)
        -0.372074
    """
    checked = check_features(source_probabilities, "source_probabilities")
    statistics = Statistics(checked, labels, source_probabilities=checked)
    return pactran_dirichlet_from_statistics(statistics, alpha, n_rounds)


def pactran_dirichlet_from_statistics(
    statistics: Statistics, alpha: float = 1.0, n_rounds: int = 10
) -> float:
    """PACTran-Dirichlet from shared statistics; see `pactran_dirichlet`."""
    source, prior = source_classes_of(statistics), prior_counts(statistics, alpha, n_rounds)

    def log_weights(counts: NDArray[np.float64]) -> NDArray[np.float64]:
        posterior = prior + counts
        expected: NDArray[np.float64] = digamma(posterior) - digamma(posterior.sum(axis=0))
        return expected

    shares = variational_shares(source, statistics.targets, log_weights, n_rounds)
    posterior = prior + shares.counts
    evidence = _log_beta(posterior) - _log_beta(prior)
    bound = float(evidence.sum()) - shares.divergence
    return bound / (statistics.n_samples * statistics.targets.n_columns)


def _log_beta(counts: NDArray[np.float64]) -> NDArray[np.float64]:
    """Logarithm of the multivariate beta function of each column."""
    value: NDArray[np.float64] = gammaln(counts).sum(axis=0) - gammaln(counts.sum(axis=0))
    return value


INFO = ScoreInfo(
    name="pactran_dirichlet",
    tells="what LEEP tells, less the cost of learning which label goes with which source class",
    range="below 0, nats over K",
    chance="-H(Y) / K, less a cost that fades as samples grow",
    paper=PAPER,
    bibtex=BIBTEX,
    compute=pactran_dirichlet_from_statistics,
    needs_source=True,
)
