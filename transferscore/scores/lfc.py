"""LFC: whether samples of one class have features that point the same way."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from transferscore.errors import InputError
from transferscore.scores.score import ALL_TASKS, CLASSES_ONLY, ScoreInfo
from transferscore.statistics import Statistics
from transferscore.statistics.cka import debiased_alignment, unbiased_hsic
from transferscore.statistics.coordinates import squared_norms

__all__ = ["INFO", "lfc", "lfc_from_statistics"]


def lfc(
    features: ArrayLike,
    labels: ArrayLike,
    *,
    adjusted: bool = False,
    task: str = "classification",
) -> float:
    r"""Tell whether samples with like labels have like features, by their inner products.

    .. math:: \cos(F F^T - \mathrm{mean}, \; L - \mathrm{mean}),

    L being +1 for two samples of one class and -1 otherwise; the features are not centred. For
    numbers it is debiased linear CKA of features and outputs, each output in units of its spread.

    Args:
        features: `(n_samples, n_features)`.
        labels: `(n_samples,)` classes, or numbers `(n_samples,)` or `(n_samples, m)`.
        adjusted: For classes, whether to take off the mean over all orders of the labels, exactly,
            and to divide by what is left up to 1. The adjusted value of noise is 0.
        task: "classification", "multilabel" or "regression".

    Returns:
        At most 1. For classes pure noise stands above 0, because each sample resembles itself: at
        tr(G) sqrt((1 - q) / q) / ((n - 1) |G|), G the features' centred Gram matrix and q the sum
        of squared class shares: about sqrt((K - 1) / n) for n below d. For numbers, at 0.

    Raises:
        InputError: Shapes do not match, a value is not finite, one class only, or fewer than 4
            samples for numbers.

    References:
        Deshpande et al. (2021), A linearized framework and a new benchmark for model selection for
        fine-tuning, arXiv:2102.00084; for numbers Kornblith et al. (2019), ICML.

    Examples:
        >>> round(lfc([[1, 0], [2, 1], [0, 1], [1, 2], [3, 1]], [0, 0, 1, 1, 0]), 6)
        0.372882
    """
    return lfc_from_statistics(Statistics(features, labels, task=task), adjusted=adjusted)


def lfc_from_statistics(statistics: Statistics, *, adjusted: bool = False) -> float:
    """LFC from shared statistics; see `lfc`."""
    if not statistics.is_classes:
        return _alignment_with_numbers(statistics)
    spectrum = statistics.spectrum
    if spectrum.rank == 0:
        return 0.0
    counts, n = statistics.class_counts, statistics.n_samples
    # Everything in units of the largest eigenvalue, so that squares stay in range.
    size = float(spectrum.eigenvalues[0])
    eigenvalues, mean = spectrum.eigenvalues / size, spectrum.mean / np.sqrt(size)
    sums = np.sqrt(eigenvalues)[:, None] * spectrum.targets
    purity = float(np.sum((counts / n) ** 2))
    product = 2.0 * float(np.sum(sums**2)) + 4.0 * float(mean @ (sums @ counts))
    gram = float(np.sqrt(eigenvalues @ eigenvalues + 2.0 * n * float(eigenvalues @ mean**2)))
    value = product / (gram * 2.0 * n * np.sqrt(purity * (1.0 - purity)))
    if not adjusted:
        return float(value)
    chance = float(eigenvalues.sum()) * np.sqrt(1.0 / purity - 1.0) / ((n - 1) * gram)
    return float((value - chance) / (1.0 - chance)) if chance < 1.0 - 1e-9 else 0.0


def _alignment_with_numbers(statistics: Statistics) -> float:
    """Debiased linear CKA of the features and the outputs in units of their spread."""
    n, spectrum = statistics.n_samples, statistics.spectrum
    if n < 4:
        raise InputError(f"LFC of numbers is debiased CKA and needs at least 4 samples; got {n}.")
    if spectrum.rank == 0:
        return 0.0
    spread = np.sqrt(statistics.target_scatter)
    varying = spread > 0.0
    outputs = (statistics.targets.matrix() - statistics.target_mean)[:, varying] / spread[varying]
    size = float(spectrum.eigenvalues[0])
    eigenvalues = spectrum.eigenvalues / size
    norms, output_norms = squared_norms(statistics) / size, np.sum(outputs**2, axis=1)
    coordinates = spectrum.targets[:, varying] / spread[varying]
    cross = float(eigenvalues @ np.sum(coordinates**2, axis=1))
    return debiased_alignment(
        unbiased_hsic(cross, norms, output_norms),
        unbiased_hsic(float(eigenvalues @ eigenvalues), norms, norms),
        unbiased_hsic(float(np.sum((outputs.T @ outputs) ** 2)), output_norms, output_norms),
    )


INFO = ScoreInfo(
    name="lfc",
    tells="whether samples with like labels have like features",
    range="-1 to 1",
    chance="for classes tr(G) sqrt((1 - q) / q) / ((n - 1) |G|), about sqrt((K - 1) / n) for n "
    "below d, and 0 with adjusted=True; 0 for numbers",
    paper="Deshpande et al. (2021), A linearized framework and a new benchmark for model "
    "selection for fine-tuning, arXiv:2102.00084",
    bibtex="""@article{deshpande2021linearized,
  title = {A Linearized Framework and a New Benchmark for Model Selection for Fine-Tuning},
  author = {Deshpande, Aditya and Achille, Alessandro and Ravichandran, Avinash and Li, Hao and
            Zancato, Luca and Fowlkes, Charless and Bhotika, Rahul and Soatto, Stefano and
            Perona, Pietro},
  journal = {arXiv preprint arXiv:2102.00084},
  year = {2021}
}""",
    compute=lfc_from_statistics,
    tasks=ALL_TASKS,
    on_moments=CLASSES_ONLY,
)
