"""Sinkhorn divergence: optimal transport smoothed by entropy, its bias taken off."""

from __future__ import annotations

from typing import Literal

from numpy.typing import ArrayLike

from transferscore.distances.entropic import entropic_transport, entropic_transport_to_itself
from transferscore.distances.fingerprint import Fingerprint
from transferscore.distances.info import DistanceInfo, checked, without_rounding
from transferscore.distances.pair import MAX_TRANSPORT_ROWS, Pair
from transferscore.distances.pairwise import squared_distances
from transferscore.errors import InputError

__all__ = ["INFO", "sinkhorn", "sinkhorn_of_pair"]

Objective = Literal["entropic_objective", "transport_cost"]

_SHARE = 0.1


def sinkhorn(
    source_features: ArrayLike | Fingerprint,
    target_features: ArrayLike | Fingerprint,
    *,
    reg: float | None = None,
    objective: Objective = "entropic_objective",
    max_iterations: int = 10_000,
    seed: int = 0,
) -> float:
    r"""Tell how far rows must move to turn one sample into the other, small details blurred.

    .. math:: T(s, t) - \tfrac12 T(s, s) - \tfrac12 T(t, t), \quad
              T = \min_P \langle P, C \rangle + \epsilon \, KL(P \mid a b^T),
              \; C_{ij} = |x_i - y_j|^2

    Lies between the squared Wasserstein distance (epsilon to 0) and a kernel distance (epsilon to
    infinity). A warning says so if the iterations do not converge.

    Args:
        source_features: `(n_source, d)`, or a fingerprint (its coreset is compared).
        target_features: `(n_target, d)`, or a fingerprint.
        reg: epsilon, in squared feature units; by default 0.1 times the mean cost between the
            sides.
        objective: "entropic_objective" as above; "transport_cost": T is the cost <P, C> of the
            same plan alone, which other packages report.
        max_iterations: Of each of the three problems.
        seed: Of the rows drawn, as many on both sides, where one has more than 2,000.

    Returns:
        At least 0, in squared feature units; 0 for a sample and itself.

    Raises:
        InputError: Shapes do not match, a value is not finite, or `reg` is not positive.

    References:
        Feydy et al. (2019), Interpolating between optimal transport and MMD using Sinkhorn
        divergences, AISTATS; Genevay, Peyré & Cuturi (2018), Learning generative models with
        Sinkhorn divergences, AISTATS.

    Examples:
        >>> round(sinkhorn([[0], [1]], [[3], [5]]), 4)
        12.5206
    """
    pair = Pair(source_features, target_features, seed=seed)
    return sinkhorn_of_pair(pair, reg, objective, max_iterations)


def sinkhorn_of_pair(
    pair: Pair,
    reg: float | None = None,
    objective: Objective = "entropic_objective",
    max_iterations: int = 10_000,
) -> float:
    """Sinkhorn divergence of a checked pair; see `sinkhorn`."""
    _check(reg, objective, max_iterations)
    source, target, unit = pair.samples(MAX_TRANSPORT_ROWS, same_size=True)
    a, b = source.features, target.features
    cost = squared_distances(a, b)
    epsilon = _SHARE * float(cost.mean()) if reg is None else reg / unit / unit
    if epsilon == 0.0:
        return 0.0
    cross = entropic_transport(cost, epsilon, max_iterations)
    own = [
        entropic_transport_to_itself(squared_distances(x, x), epsilon, max_iterations)
        for x in (a, b)
    ]
    terms = [getattr(plan, objective) for plan in (cross, *own)]
    value = terms[0] - 0.5 * (terms[1] + terms[2])
    # Two solutions, each converged to 1e-9 of its size, may differ by as much for equal samples.
    floor = without_rounding(value, abs(terms[0]) + epsilon, 4_500_000)
    return checked(floor * unit * unit, "sinkhorn")


def _check(reg: float | None, objective: str, max_iterations: int) -> None:
    if reg is not None and not 0.0 < reg < float("inf"):
        raise InputError(f"`reg` must be positive; got {reg}.")
    if objective not in ("entropic_objective", "transport_cost"):
        raise InputError(
            f"`objective` must be 'entropic_objective' or 'transport_cost'; got {objective!r}."
        )
    if max_iterations < 1:
        raise InputError(f"`max_iterations` must be at least 1; got {max_iterations}.")


INFO = DistanceInfo(
    name="sinkhorn",
    tells="how far rows must move to turn one sample into the other, small details blurred",
    range="at least 0",
    unit="feature^2",
    paper="Feydy et al. (2019), Interpolating between optimal transport and MMD using Sinkhorn "
    "divergences, AISTATS",
    bibtex="""@inproceedings{feydy2019interpolating,
  title = {Interpolating between Optimal Transport and {MMD} using {Sinkhorn} Divergences},
  author = {Feydy, Jean and S{\\'e}journ{\\'e}, Thibault and Vialard, Fran{\\c{c}}ois-Xavier and
            Amari, Shun-ichi and Trouv{\\'e}, Alain and Peyr{\\'e}, Gabriel},
  booktitle = {International Conference on Artificial Intelligence and Statistics},
  year = {2019}
}""",
    compute=sinkhorn_of_pair,
    rests_on="samples",
    max_rows=MAX_TRANSPORT_ROWS,
)
