"""PACTran with Gamma priors: a bound on the loss of a classifier over source classes."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import digamma, gammaln

from transferscore.scores.nce import source_classes_of
from transferscore.scores.pactran import BIBTEX, PAPER, prior_counts
from transferscore.scores.score import ScoreInfo
from transferscore.statistics import Statistics
from transferscore.statistics.rows import check_features
from transferscore.statistics.variational import variational_shares

__all__ = ["INFO", "pactran_gamma", "pactran_gamma_from_statistics"]


def pactran_gamma(
    source_probabilities: ArrayLike, labels: ArrayLike, *, alpha: float = 1.0, n_rounds: int = 10
) -> float:
    r"""Tell what `pactran_dirichlet` tells, with weights that need not sum to one.

    .. math:: \tfrac{1}{nK} \Big[\sum_{yz} \log \tfrac{\Gamma(a_{yz})}{\Gamma(a^0_y)} -
              \sum_i \Big(\mathrm{KL}(q_i \,\|\, \theta_i) +
              \log \sum_{yz} \theta_{iz} a_{yz} - 1\Big)\Big] - 1,
              \quad a_{yz} = a^0_y + \sum_{i: y_i = y} q_{iz},

    a bound where each label has a Gamma distributed weight for each source class z, of prior counts
    :math:`a^0_y = \alpha n_y / n` and rate 1, and q the source classes that the labels make likely,
    by 10 rounds of mutual adjustment. The sign is turned: in the paper lower is better. The
    constant 1 is that of the published code.

    Args:
        source_probabilities: `(n_samples, n_source_classes)`, non-negative.
        labels: `(n_samples,)` classes.
        alpha: Prior counts of a source class in all.
        n_rounds: Rounds of adjustment.

    Returns:
        About -1 at best, nats over K. Uninformative probabilities stand at about -1 - H(Y) / K,
        H(Y) the entropy of the labels, less a cost that fades as samples grow. Compare values for
        the same labels only.

    Raises:
        InputError: Shapes do not match, a value is negative or not finite, one class only, or
            `alpha` or `n_rounds` is not positive.

    References:
        Ding et al. (2022), PACTran: PAC-Bayesian metrics for estimating the transferability of
        pretrained models to classification tasks, ECCV.

    Examples:
        >>> p = [[.9, .1], [.8, .2], [.3, .7], [.2, .8], [.4, .6]]
        >>> round(pactran_gamma(p, [0, 0, 1, 1, 0]), 6)
        -1.256992
    """
    checked = check_features(source_probabilities, "source_probabilities")
    statistics = Statistics(checked, labels, source_probabilities=checked)
    return pactran_gamma_from_statistics(statistics, alpha, n_rounds)


def pactran_gamma_from_statistics(
    statistics: Statistics, alpha: float = 1.0, n_rounds: int = 10
) -> float:
    """PACTran-Gamma from shared statistics; see `pactran_gamma`."""
    source, prior = source_classes_of(statistics), prior_counts(statistics, alpha, n_rounds)
    shares = variational_shares(
        source, statistics.targets, lambda counts: digamma(prior + counts), n_rounds
    )
    posterior = prior + shares.counts
    evidence = float((gammaln(posterior) - gammaln(prior)).sum())
    mass = posterior.sum(axis=0)
    normalisers = sum(float(np.log(block @ mass).sum()) for _, block in source.blocks())
    bound = evidence - shares.divergence - normalisers + statistics.n_samples
    return bound / (statistics.n_samples * statistics.targets.n_columns) - 1.0


INFO = ScoreInfo(
    name="pactran_gamma",
    tells="what pactran_dirichlet tells, with weights that need not sum to one",
    range="about -1 at best, nats over K",
    chance="-1 - H(Y) / K, less a cost that fades as samples grow",
    paper=PAPER,
    bibtex=BIBTEX,
    compute=pactran_gamma_from_statistics,
    needs_source=True,
)
