"""EMMS: how well the features predict embeddings of the labels by least squares."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from transferscore.errors import InputError
from transferscore.scores.score import ALL_TASKS, ScoreInfo
from transferscore.statistics import Statistics, Targets
from transferscore.statistics.ridge import held_out_one
from transferscore.statistics.rows import check_features
from transferscore.statistics.targets import label_array

__all__ = ["INFO", "emms", "emms_from_statistics"]

_Matrix = NDArray[np.float64]


def emms(
    features: ArrayLike,
    labels: ArrayLike,
    *,
    embeddings: ArrayLike | Sequence[ArrayLike] | None = None,
    held_out: bool = False,
    task: str = "classification",
) -> float:
    r"""Tell how well the features predict what language models make of the labels.

    .. math:: -\tfrac{1}{n m} \lVert F W - \textstyle\sum_k t_k E_k[y] \rVert^2

    Features and embedded labels are standardised; W is the least-squares fit of the embeddings'
    mean, the weights t then fit FW best among those that are sparse and sum to one. This is one
    alternation, as published; the published function multiplies by m where it should divide.

    Args:
        features: `(n_samples, n_features)`.
        labels: `(n_samples,)` classes, or numbers `(n_samples,)` or `(n_samples, m)`, which are
            their own embedding.
        embeddings: `(n_classes, m)` in sorted order of the labels, or several of one shape; of
            integer labels also with a row for every id from 0 on. One-hot by default. Classes only.
        held_out: Predict each sample from all others, by ridge regression with the best of a path
            of penalties: the form to use where samples are few.
        task: "classification", "multilabel" or "regression".

    Returns:
        At most 0. In sample, pure noise stands at r / (n - 1) - 1, r the rank of the features: with
        n <= d that is 0, the best value, whatever the labels, and a warning says so. Held out it
        stands at about -1 for every n and d.

    Raises:
        InputError: Shapes do not match, a value is not finite, or one class only.

    References:
        Meng et al. (2023), Foundation model is efficient multimodal multitask model selector,
        NeurIPS.

    Examples:
        >>> round(emms([[1, 0], [2, 1], [0, 1], [1, 2], [3, 1]], [0, 0, 1, 1, 0]), 6)
        -0.064103
    """
    statistics = Statistics(features, labels, task=task)
    given = None if embeddings is None else _rows_of(embeddings, labels, statistics.targets)
    return emms_from_statistics(statistics, given, held_out)


def emms_from_statistics(
    statistics: Statistics, embeddings: Sequence[_Matrix] | None = None, held_out: bool = False
) -> float:
    """EMMS from shared statistics, `embeddings` each `(K, m)`; see `emms`."""
    maps, scatter = _standardising_maps(statistics, embeddings)
    coordinates = statistics.spectrum.targets @ maps  # (k, r, m)
    if held_out:
        return _held_out(statistics, maps.mean(axis=0), coordinates.mean(axis=0))
    _warn_if_reached_by_any(statistics)
    fitted = coordinates.mean(axis=0)
    weights = _weights(maps, scatter, coordinates, fitted)
    mixed, mixed_map = np.tensordot(weights, coordinates, 1), np.tensordot(weights, maps, 1)
    beyond = float(np.sum(mixed_map * (scatter @ mixed_map)) - np.sum(mixed**2))
    missed = float(np.sum((fitted - mixed) ** 2)) + max(0.0, beyond)
    if statistics.spectrum.rank == statistics.n_samples - 1:
        missed = 0.0
    return float(-missed / (statistics.n_samples * maps.shape[2]))


def _standardising_maps(
    statistics: Statistics, embeddings: Sequence[_Matrix] | None
) -> tuple[_Matrix, _Matrix]:
    """From centred target columns to standardised embeddings `(k, K, m)`; the columns' scatter."""
    n, m, scatter = statistics.n_samples, statistics.n_columns, statistics.target_products
    if statistics.is_classes:
        stacked = np.stack(embeddings if embeddings is not None else [np.eye(m)])
        stacked = stacked - (statistics.target_mean @ stacked)[:, None]
    else:
        stacked = np.eye(m)[None][:, :, statistics.target_scatter > 0.0]
    variances = np.einsum("kcm,cd,kdm->km", stacked, scatter, stacked) / n
    # The published guard against columns that do not vary, which stay at zero.
    return stacked / (np.sqrt(np.maximum(variances, 0.0)) + 1e-8)[:, None], scatter


def _weights(
    maps: _Matrix, scatter: _Matrix, coordinates: _Matrix, fitted: _Matrix
) -> NDArray[np.float64]:
    """Sparse weights `(k,)` with which the embeddings come nearest to what was fitted."""
    products = np.einsum("kcm,cd,ldm->kl", maps, scatter, maps, optimize=True)
    against = np.tensordot(coordinates, fitted, 2)
    return _sparsemax(np.linalg.lstsq(products, against, rcond=None)[0])


def _sparsemax(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """The nearest point of the simplex (Martins & Astudillo 2016)."""
    ordered = np.sort(values)[::-1]
    excess = np.cumsum(ordered) - 1.0
    ranks = np.arange(1, len(values) + 1)
    kept = int(np.sum(ranks * ordered > excess))
    weights: NDArray[np.float64] = np.maximum(0.0, values - excess[kept - 1] / kept)
    return weights


def _held_out(statistics: Statistics, columns: _Matrix, coordinates: _Matrix) -> float:
    """Minus the least leave-one-out error over the penalties of a ridge regression."""
    values = (statistics.targets.matrix() - statistics.target_mean) @ columns
    fitted = replace(
        statistics.fitted,
        target_mean=np.zeros(values.shape[1]),
        target_scatter=np.sum(values**2, axis=0),
        spectrum=replace(statistics.spectrum, targets=coordinates),
    )
    targets = Targets(None, values, values.shape[1])
    return -float(held_out_one(statistics.features, targets, fitted).errors.min())


def _warn_if_reached_by_any(statistics: Statistics) -> None:
    if statistics.spectrum.rank == statistics.n_samples - 1:
        warnings.warn(
            f"EMMS is at its best whatever the labels: the {statistics.n_samples} samples are no "
            "more than the features span. Use held_out=True.",
            RuntimeWarning,
            stacklevel=4,
        )


def _rows_of(
    embeddings: ArrayLike | Sequence[ArrayLike], labels: ArrayLike, targets: Targets
) -> list[_Matrix]:
    """The embeddings, each with one row a class that occurs, in sorted order of the labels."""
    if not targets.is_classes:
        raise InputError("`embeddings` are of classes; numbers are their own embedding.")
    array = np.asarray(embeddings)
    stacked = [check_features(e, "embeddings") for e in (array if array.ndim == 3 else [array])]
    classes = np.unique(label_array(labels))
    n_rows = len(stacked[0])
    by_id = classes.dtype.kind in "iu" and n_rows > len(classes) and classes[0] >= 0
    if by_id and classes[-1] < n_rows:
        stacked = [rows[classes] for rows in stacked]
    if len(stacked[0]) != targets.n_columns:
        raise InputError(
            f"`embeddings` must have one row for each of the {targets.n_columns} classes; "
            f"got {n_rows}."
        )
    return [rows.astype(np.float64) for rows in stacked]


INFO = ScoreInfo(
    name="emms",
    tells="how well the features predict embeddings of the labels (one-hot) in sample",
    range="-1 to 0",
    chance="r / (n - 1) - 1, r the rank of the features: its best, 0, when n <= d; "
    "-1 with held_out=True",
    paper="Meng et al. (2023), Foundation model is efficient multimodal multitask model selector, "
    "NeurIPS",
    bibtex="""@inproceedings{meng2023emms,
  title = {Foundation Model is Efficient Multimodal Multitask Model Selector},
  author = {Meng, Fanqing and Shao, Wenqi and Peng, Zhanglin and Jiang, Chonghe and
            Zhang, Kaipeng and Qiao, Yu and Luo, Ping},
  booktitle = {Advances in Neural Information Processing Systems},
  year = {2023}
}""",
    compute=emms_from_statistics,
    tasks=ALL_TASKS,
    on_moments=ALL_TASKS,
)
