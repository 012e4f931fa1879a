"""The three PACTran bounds as Ding et al. (2022) define them, lower is better."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import digamma, gammaln, logsumexp, softmax

__all__ = ["pactran_dirichlet", "pactran_gamma", "pactran_gaussian"]


def pactran_dirichlet(source: NDArray, columns: NDArray, alpha: float = 1.0) -> float:
    """Negative bound with a Dirichlet distribution of labels for each source class."""
    prior = alpha * columns.mean(axis=0)[:, None]
    logs, shares = np.log(source), source
    for _ in range(10):
        counts = prior + _counts(columns, shares)
        expected = digamma(counts) - digamma(counts.sum(axis=0))
        log_shares = _normalised(logs + columns @ expected)
        shares = np.exp(log_shares)
    before = gammaln(prior.sum()) - gammaln(prior).sum()
    after = gammaln(counts.sum(axis=0)) - gammaln(counts).sum(axis=0)
    divergence = np.sum(shares * (log_shares - logs), axis=0)
    return float(-np.sum(before - after - divergence) / columns.size)


def pactran_gamma(source: NDArray, columns: NDArray, alpha: float = 1.0) -> float:
    """Negative bound with Gamma distributed weights."""
    prior = alpha * columns.mean(axis=0)[:, None]
    logs, shares = np.log(source), source
    for _ in range(10):
        counts = prior + _counts(columns, shares)
        log_shares = _normalised(logs + columns @ digamma(counts))
        shares = np.exp(log_shares)
    divergence = np.sum(shares * (log_shares - logs), axis=1)
    samples = np.sum(divergence + np.log(source @ counts.sum(axis=0)) - 1.0)
    return float((np.sum(gammaln(prior) - gammaln(counts)) + samples) / columns.size + 1.0)


def pactran_gaussian(
    features: NDArray, columns: NDArray, lam: float = 1.0, s_over_lam: float = 10.0
) -> float:
    """Penalised logistic loss at its optimum plus the logarithm of its mean curvature."""
    (n, d), k = features.shape, columns.shape[1]
    x = np.hstack([features - features.mean(axis=0), np.ones((n, 1))])
    penalised = np.append(np.ones(d), 0.0)[:, None]

    def loss(flat: NDArray) -> tuple[float, NDArray]:
        theta = flat.reshape(d + 1, k)
        logits = x @ theta
        fit = np.sum(logsumexp(logits, axis=1) - np.sum(columns * logits, axis=1))
        gradient = x.T @ (softmax(logits, axis=1) - columns) + penalised * theta / lam
        return fit + np.sum(penalised * theta**2) / (2 * lam), gradient.ravel()

    options = {"maxiter": 20_000, "maxfun": 40_000, "ftol": 0.0, "gtol": 1e-8, "maxcor": 50}
    found = minimize(loss, np.zeros((d + 1) * k), jac=True, method="L-BFGS-B", options=options)
    p = softmax(x @ found.x.reshape(d + 1, k), axis=1)
    curvature = sum(
        float(np.sum(x[i] ** 2)) * p[i, c] * (1 - p[i, c]) for i in range(n) for c in range(k)
    )
    mean_curvature = (curvature + k * d / (lam * n)) * lam * n / (k * d)
    return float(found.fun / n + k * s_over_lam / (2 * n) * np.log(mean_curvature))


def _counts(columns: NDArray, shares: NDArray) -> NDArray:
    return np.sum(np.einsum("iy,iz->iyz", columns, shares), axis=0)


def _normalised(logits: NDArray) -> NDArray:
    return logits - logsumexp(logits, axis=1, keepdims=True)
