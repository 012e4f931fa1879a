"""Fréchet distance: how far apart the two samples' means and covariances are."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from transferscore.distances.fingerprint import Fingerprint
from transferscore.distances.gaussian import Gaussian, nuclear_norm
from transferscore.distances.info import DistanceInfo, checked, without_rounding
from transferscore.distances.pair import Pair
from transferscore.errors import InputError

__all__ = ["INFO", "frechet", "frechet_of_gaussians", "frechet_of_pair"]


def frechet(
    source_features: ArrayLike | Fingerprint,
    target_features: ArrayLike | Fingerprint,
    *,
    ddof: int = 1,
) -> float:
    r"""Tell how far apart two samples lie in mean and spread, as if both were Gaussian.

    .. math:: |\mu_s - \mu_t|^2 + \mathrm{tr}(C_s + C_t - 2 (C_s^{1/2} C_t C_s^{1/2})^{1/2})

    The squared form, as FID is reported. The root's trace is the nuclear norm of a product of
    centred rows (or of their triangular factors), so it is exact for n <= d too. The estimate grows
    with d / n: compare values at equal numbers of rows.

    Args:
        source_features: `(n_source, d)`, or a fingerprint (exact, from its moments).
        target_features: `(n_target, d)`, or a fingerprint.
        ddof: Covariances are divided by n - ddof; 1 or 0.

    Returns:
        At least 0, in squared feature units; 0 for equal moments, to rounding.

    Raises:
        InputError: Shapes do not match, a value is not finite, or one row only.

    References:
        Dowson & Landau (1982), The Fréchet distance between multivariate normal distributions, J.
        Multivariate Analysis 12; Heusel et al. (2017), GANs trained by a two time-scale update rule
        converge to a local Nash equilibrium, NeurIPS.

    Examples:
        >>> a = [[1, 0], [2, 1], [0, 1], [1, 2], [3, 1]]
        >>> round(frechet(a, [[4, 0], [5, 1], [3, 2]]), 6)
        6.984291
    """
    return frechet_of_pair(Pair(source_features, target_features), ddof)


def frechet_of_pair(pair: Pair, ddof: int = 1) -> float:
    """Fréchet distance of a checked pair; see `frechet`."""
    if ddof not in (0, 1):
        raise InputError(f"`ddof` must be 0 or 1; got {ddof}.")
    source, target = pair.spread_gaussians("frechet")
    return frechet_of_gaussians(source, target, ddof)


def frechet_of_gaussians(source: Gaussian, target: Gaussian, ddof: int = 1) -> float:
    """Fréchet distance from moments alone; see `frechet`."""
    share_s = (source.count - 1) / (source.count - ddof)
    share_t = (target.count - 1) / (target.count - ddof)
    with np.errstate(over="ignore", invalid="ignore"):
        gap = source.mean - target.mean
        traces = share_s * source.trace + share_t * target.trace
        cross = np.sqrt(share_s * share_t) * _common(source, target)
        spread = without_rounding(traces - 2.0 * cross, traces, len(gap) + 8)
        return checked(float(gap @ gap) + spread, "frechet")


def _common(source: Gaussian, target: Gaussian) -> float:
    # A product of overflowed rows would make the singular values fail to converge.
    if not np.isfinite(source.trace + target.trace):
        return float("nan")
    return nuclear_norm(source.factor, target.factor)


INFO = DistanceInfo(
    name="frechet",
    tells="how far apart means and covariances are, as if both samples were Gaussian",
    range="at least 0",
    unit="feature^2",
    paper="Heusel et al. (2017), GANs trained by a two time-scale update rule converge to a local "
    "Nash equilibrium, NeurIPS",
    bibtex="""@inproceedings{heusel2017gans,
  title = {{GANs} Trained by a Two Time-Scale Update Rule Converge to a Local {Nash} Equilibrium},
  author = {Heusel, Martin and Ramsauer, Hubert and Unterthiner, Thomas and Nessler, Bernhard and
            Hochreiter, Sepp},
  booktitle = {Advances in Neural Information Processing Systems},
  year = {2017}
}""",
    compute=frechet_of_pair,
    rests_on="moments",
)
