"""Entropic optimal transport between uniform samples, by scaling that never leaves float64."""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import LinAlgError, cho_factor, cho_solve

__all__ = ["EntropicTransport", "entropic_transport", "entropic_transport_to_itself"]

_TOLERANCE = 1e-10
_CHECK_EVERY = 10
_NEWTON_EVERY = 200
_ABSORB = 1e50


@dataclass(frozen=True, slots=True)
class EntropicTransport:
    """A solution.

    Attributes:
        transport_cost: <P, C>.
        entropic_objective: <P, C> + epsilon KL(P | a b^T), by its dual value.
        marginal_error: Sum of absolute errors of the row sums of P.
    """

    transport_cost: float
    entropic_objective: float
    marginal_error: float


def entropic_transport(
    cost: NDArray[np.float64], epsilon: float, max_iterations: int
) -> EntropicTransport:
    """The plan between uniform weights on rows and columns of `cost` `(n, m)`.

    The scalings are absorbed into the potentials, and the kernel formed anew, before they leave the
    range of float64: the steps of the logarithmic form at the price of matrix-vector products.
    Where little blur makes the steps small, a Newton step now and then ends them.
    """
    n, m = cost.shape
    f = cost.min(axis=1)
    g = (cost - f[:, None]).min(axis=0)
    kernel = _kernel(cost, f, g, epsilon)
    u, v = np.ones(n), np.ones(m)
    error = np.inf
    for step in range(1, max_iterations + 1):
        u = 1.0 / (n * (kernel @ v))
        v = 1.0 / (m * (u @ kernel))
        if step % _CHECK_EVERY == 0 or step == max_iterations:
            error = _row_error(kernel, u, v)
            if step % _NEWTON_EVERY == 0 and error >= _TOLERANCE:
                u, v, error = _newton_step(kernel, u, v, error)
            if error < _TOLERANCE:
                break
        if max(u.max(), v.max(), 1.0 / u.min(), 1.0 / v.min()) > _ABSORB:
            f, g = f + epsilon * np.log(u), g + epsilon * np.log(v)
            kernel, u, v = _kernel(cost, f, g, epsilon), np.ones(n), np.ones(m)
    _warn_unconverged(error, max_iterations)
    potentials = f + epsilon * np.log(n * u), g + epsilon * np.log(m * v)
    return _solution(cost, u[:, None] * kernel * v, potentials, epsilon, error)


def entropic_transport_to_itself(
    cost: NDArray[np.float64], epsilon: float, max_iterations: int
) -> EntropicTransport:
    """The plan of a sample onto itself: one potential, halfway steps, which converge in a few."""
    n = len(cost)
    kernel = np.exp(cost / -epsilon)
    u = np.full(n, 1.0 / np.sqrt(n))
    error = np.inf
    for _ in range(max_iterations):
        sums = kernel @ u
        error = float(np.abs(u * sums - 1.0 / n).sum())
        if error < _TOLERANCE:
            break
        u = np.sqrt(u / (n * sums))
    _warn_unconverged(error, max_iterations)
    potential = epsilon * np.log(n * u)
    return _solution(cost, u[:, None] * kernel * u, (potential, potential), epsilon, error)


def _solution(
    cost: NDArray[np.float64],
    plan: NDArray[np.float64],
    potentials: tuple[NDArray[np.float64], NDArray[np.float64]],
    epsilon: float,
    error: float,
) -> EntropicTransport:
    means = float(potentials[0].mean() + potentials[1].mean())
    # The dual value is stationary: it is exact to the square of what the plan misses.
    dual = means - epsilon * (float(plan.sum()) - 1.0)
    return EntropicTransport(float(np.vdot(plan, cost)), dual, error)


def _kernel(
    cost: NDArray[np.float64], f: NDArray[np.float64], g: NDArray[np.float64], epsilon: float
) -> NDArray[np.float64]:
    exponent = f[:, None] + g
    exponent -= cost
    exponent /= epsilon
    kernel: NDArray[np.float64] = np.exp(exponent, out=exponent)
    return kernel


def _row_error(
    kernel: NDArray[np.float64], u: NDArray[np.float64], v: NDArray[np.float64]
) -> float:
    return float(np.abs(u * (kernel @ v) - 1.0 / len(u)).sum())


def _newton_step(
    kernel: NDArray[np.float64],
    u: NDArray[np.float64],
    v: NDArray[np.float64],
    error: float,
) -> tuple[NDArray[np.float64], NDArray[np.float64], float]:
    """Scalings and error after a Newton step of the dual, or as they were if it is no gain."""
    n, m = kernel.shape
    plan = u[:, None] * kernel * v
    rows = plan.sum(axis=1)
    # Adding a constant to u and taking it off v changes nothing: the last term fixes it.
    curvature = np.diag(rows) - m * (plan @ plan.T) + 1.0 / n**2
    try:
        step = cho_solve(cho_factor(curvature, check_finite=False), 1.0 / n - rows)
    except LinAlgError:
        return u, v, error
    new_u = u * np.exp(np.clip(step, -50.0, 50.0))
    new_v = 1.0 / (m * (new_u @ kernel))
    new_error = _row_error(kernel, new_u, new_v)
    return (new_u, new_v, new_error) if new_error < error else (u, v, error)


def _warn_unconverged(error: float, max_iterations: int) -> None:
    if error >= _TOLERANCE:
        warnings.warn(
            f"The distance sinkhorn did not converge in {max_iterations} iterations: its plan "
            f"misses {error:.1e} of the weight. Raise `max_iterations` or `reg`.",
            RuntimeWarning,
            stacklevel=5,
        )
