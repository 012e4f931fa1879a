"""EMD: the least total squared way that rows must move to turn one sample into the other."""

from __future__ import annotations

from numpy.typing import ArrayLike

from transferscore.distances.fingerprint import Fingerprint
from transferscore.distances.info import DistanceInfo, checked
from transferscore.distances.pair import MAX_TRANSPORT_ROWS, Pair
from transferscore.distances.pairwise import squared_distances
from transferscore.distances.transport import transport_cost

__all__ = ["INFO", "emd", "emd_of_pair"]


def emd(
    source_features: ArrayLike | Fingerprint,
    target_features: ArrayLike | Fingerprint,
    *,
    seed: int = 0,
) -> float:
    r"""Tell how far rows must move to turn one sample into the other, all directions at once.

    .. math:: \min_{P \ge 0} \sum_{ij} P_{ij} |x_i - y_j|^2, \quad
              P 1 = 1 / n, \; P^T 1 = 1 / m

    The squared 2-Wasserstein distance of the two samples, exact. It shrinks slowly as rows are
    added: compare values at equal numbers of rows.

    Args:
        source_features: `(n_source, d)`, or a fingerprint (its coreset is compared).
        target_features: `(n_target, d)`, or a fingerprint.
        seed: Of the rows drawn, as many on both sides, where one has more than 2,000.

    Returns:
        At least 0, in squared feature units; 0 for a sample and itself.

    Raises:
        InputError: Shapes do not match, or a value is not finite.
        MissingExtraError: POT is not installed.

    References:
        Villani (2009), Optimal transport: old and new, Springer; Bonneel et al. (2011),
        Displacement interpolation using Lagrangian mass transport, ACM Trans. Graphics 30.

    Examples:
        >>> emd([[0], [1]], [[3], [5]])
        12.5
    """
    return emd_of_pair(Pair(source_features, target_features, seed=seed))


def emd_of_pair(pair: Pair) -> float:
    """Exact transport cost of a checked pair; see `emd`."""
    source, target, unit = pair.samples(MAX_TRANSPORT_ROWS, same_size=True)
    cost = squared_distances(source.features, target.features)
    return checked(transport_cost(cost, None, None, "emd") * unit * unit, "emd")


INFO = DistanceInfo(
    name="emd",
    tells="how far rows must move to turn one sample into the other, all directions at once",
    range="at least 0",
    unit="feature^2",
    paper="Bonneel et al. (2011), Displacement interpolation using Lagrangian mass transport, ACM "
    "Transactions on Graphics 30",
    bibtex="""@article{bonneel2011displacement,
  title = {Displacement Interpolation Using {Lagrangian} Mass Transport},
  author = {Bonneel, Nicolas and van de Panne, Michiel and Paris, Sylvain and Heidrich, Wolfgang},
  journal = {ACM Transactions on Graphics},
  volume = {30},
  number = {6},
  year = {2011}
}""",
    compute=emd_of_pair,
    rests_on="samples",
    max_rows=MAX_TRANSPORT_ROWS,
    extra="ot",
)
