"""One eigendecomposition of the centred features, shared by every score that needs one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from transferscore.statistics.eigenbasis import Eigenbasis
from transferscore.statistics.moments import Moments
from transferscore.statistics.targets import Targets

__all__ = ["Spectrum", "spectrum_of_features", "spectrum_of_moments"]


@dataclass(frozen=True, slots=True)
class Spectrum:
    """The thin singular value decomposition U diag(sqrt(eigenvalues)) V^T of centred features.

    Directions whose eigenvalue is rounding noise are left out; r is the numerical rank.

    Attributes:
        eigenvalues: `(r,)` of the scatter matrix, descending, positive.
        targets: `(r, m)` U^T Y, the centred target columns in the left singular basis.
        mean: `(r,)` V^T mean, the feature mean in the right singular basis.
        mean_residual: Squared length of the part of the mean that V does not span.
        side: "features" where V comes from the d x d scatter, "samples" where U comes from the
            n x n Gram matrix.
        basis: Of which V `(d, r)` on the feature side, U `(n, r)` on the sample side are made.
    """

    eigenvalues: NDArray[np.float64]
    targets: NDArray[np.float64]
    mean: NDArray[np.float64]
    mean_residual: float
    side: Literal["features", "samples"]
    basis: Eigenbasis

    @property
    def rank(self) -> int:
        """Numerical rank r of the centred features."""
        return len(self.eigenvalues)

    @property
    def vectors(self) -> NDArray[np.float64]:
        """V `(d, r)` on the feature side, U `(n, r)` on the sample side; made at first use."""
        return self.basis.vectors

    def left_rows(
        self, features: NDArray[Any], mean: NDArray[np.float64], rows: slice
    ) -> NDArray[np.float64]:
        """Rows of U `(len(rows), r)`, from the features where U itself is not kept."""
        if self.side == "samples":
            return self.vectors[rows]
        coordinates: NDArray[np.float64] = (features[rows] - mean) @ self.vectors
        coordinates /= np.sqrt(self.eigenvalues)
        return coordinates


def spectrum_of_moments(moments: Moments) -> Spectrum:
    """The spectrum from a d x d scatter matrix: the cheaper side when n >= d."""
    basis = Eigenbasis(moments.scatter)
    values, mean = basis.values, moments.mean
    kept = _kept(values, moments.count, mean)
    basis.kept = kept[::-1]
    values = values[basis.kept]
    coordinates = basis.coordinates(np.column_stack([mean, moments.cross]))
    residual = float(np.sum(np.delete(coordinates[:, 0], kept) ** 2))
    if residual <= _mean_noise(values, moments.count, mean):
        residual = 0.0
    coordinates = coordinates[basis.kept]
    targets = coordinates[:, 1:] / np.sqrt(values)[:, None]
    return Spectrum(values, targets, coordinates[:, 0].copy(), residual, "features", basis)


def spectrum_of_features(
    features: NDArray[Any], mean: NDArray[np.float64], targets: Targets
) -> Spectrum:
    """The spectrum from the n x n Gram matrix of centred rows: the cheaper side when n < d."""
    centered = features - mean
    gram = centered @ centered.T
    columns = np.column_stack([centered @ mean, targets.matrix() - targets.mean()])
    del centered
    basis = Eigenbasis(gram)
    basis.kept = _kept(basis.values, len(features), mean)[::-1]
    values = basis.values[basis.kept]
    found = basis.coordinates(columns)[basis.kept]
    coordinates = found[:, 0] / np.sqrt(values)
    residual = float(mean @ mean - coordinates @ coordinates)
    # A difference of squares, so rounding leaves eps where the feature side leaves its square.
    noise = max(features.shape) * np.finfo(np.float64).eps * float(mean @ mean)
    if residual <= max(noise, _mean_noise(values, len(features), mean)):
        residual = 0.0
    return Spectrum(values, found[:, 1:].copy(), coordinates, residual, "samples", basis)


def _mean_noise(
    eigenvalues: NDArray[np.float64], n_samples: int, mean: NDArray[np.float64]
) -> float:
    """What rounding leaves of a mean that the features' directions span, as a squared length."""
    eps = np.finfo(np.float64).eps
    size = max(n_samples, len(mean))
    in_directions = size**2 * float(mean @ mean)
    in_mean = 16 * float(eigenvalues.sum()) / n_samples
    return float(eps**2 * (in_directions + in_mean))


def _kept(
    values: NDArray[np.float64], n_samples: int, mean: NDArray[np.float64]
) -> NDArray[np.int64]:
    """Positions of the eigenvalues (ascending) that stand above rounding noise."""
    eps = np.finfo(np.float64).eps
    size = max(n_samples, len(mean))
    # Subtracting a mean that is itself rounded leaves a constant feature with this much scatter.
    constant = 4 * n_samples * eps**2 * float(mean @ mean)
    kept = np.flatnonzero(values > max(values[-1] * size * eps, constant, 0.0))
    # Centred rows span at most n - 1 directions; an eigenvalue more can only be noise.
    return kept[max(0, len(kept) - (n_samples - 1)) :]
