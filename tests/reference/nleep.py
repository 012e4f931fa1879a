"""N-LEEP as Li et al. (2021) define it, on scikit-learn's own mixture."""

from __future__ import annotations

import warnings

import numpy as np
from numpy.typing import NDArray
from sklearn.cluster import KMeans
from sklearn.decomposition import PCA
from sklearn.exceptions import ConvergenceWarning
from sklearn.mixture import GaussianMixture

__all__ = ["clusters", "nleep", "posteriors"]


def nleep(features: NDArray, labels: NDArray, n_components: int, seed: int, log: bool) -> float:
    """Mean (log) of the expected prediction of each sample's own label."""
    theta = posteriors(PCA(0.8, svd_solver="full").fit_transform(features), n_components, seed)
    mass = theta.sum(axis=0)
    expected = []
    for i, label in enumerate(labels):
        joint = theta[labels == label].sum(axis=0)
        expected.append(np.sum(theta[i] * joint / np.where(mass > 0.0, mass, 1.0)))
    return float(np.mean(np.log(expected) if log else expected))


def posteriors(points: NDArray, n_components: int, seed: int) -> NDArray:
    """Probability of each component given each point."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        mixture = GaussianMixture(n_components, random_state=seed).fit(points)
        return mixture.predict_proba(points)


def clusters(points: NDArray, n_clusters: int, seed: int) -> NDArray:
    """Cluster of each point."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return KMeans(n_clusters, n_init=1, random_state=seed).fit(points).labels_
