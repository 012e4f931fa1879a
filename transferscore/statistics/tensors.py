"""Statistics of features as they come out of a network, computed where they lie.

Moments are taken in float64 on the tensors' own device; only moments and the sample of rows cross
to the host, in place of the features.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from transferscore.datasets.task import task_named
from transferscore.errors import InputError
from transferscore.statistics.labelled import LabelledRows
from transferscore.statistics.moments import Moments, target_products
from transferscore.statistics.rows import LARGEST, check_features
from transferscore.statistics.sample import RowSample, chosen_rows, key_multipliers, mixed_keys
from transferscore.statistics.statistics import Statistics
from transferscore.statistics.summary import SAMPLE_ROWS, Summary, merge_summaries
from transferscore.statistics.targets import Targets, class_targets, joined_targets, real_targets

if TYPE_CHECKING:
    import torch

__all__ = ["tensor_statistics"]

# So many rows, and so many times the width, are gathered on the device before their moments are
# fetched: a d x d matrix crosses in place of eight.
_LEAST_ROWS = 8192
_ROWS_PER_FEATURE = 8


def tensor_statistics(
    batches: Iterable[tuple[torch.Tensor, ArrayLike]],
    *,
    task: str = "classification",
    sample_size: int = SAMPLE_ROWS,
    seed: int = 0,
) -> Statistics:
    """Statistics of batches of tensors, taken on the device on which they lie.

    What `statistics_of` gives, to rounding, with the same sample of rows.

    Args:
        batches: Each `(features, labels)`, features a tensor `(b, d)` of any floating-point type on
            a device that computes in float64; labels an array, a list or a tensor `(b,)` or
            `(b, m)`.
        task: "classification", "multilabel" or "regression".
        sample_size: Rows kept for the scores that do not live on moments.
        seed: Of the choice of these rows.

    Returns:
        Statistics that can be scored, saved, merged and added to.

    Raises:
        InputError: There is no batch, one is not finite, or widths or labels do not fit.
        UnknownNameError: No task of that name.

    Examples:
        >>> import torch
        >>> batches = [(torch.tensor([[1.0, 0.0], [2.0, 1.0]]), [0, 1])]
        >>> tensor_statistics(batches).n_samples
        2
    """
    summary: Summary | None = None
    for features, targets in _blocks(batches, task):
        sample = _sample(features, targets, sample_size, seed)
        part = Summary(task, _moments(features, targets), sample)
        summary = part if summary is None else merge_summaries(summary, part)
    if summary is None:
        raise InputError("`batches` must hold at least one batch of rows; it is empty.")
    return Statistics.of_summary(summary)


def _blocks(
    batches: Iterable[tuple[torch.Tensor, ArrayLike]], task: str
) -> Iterator[tuple[torch.Tensor, Targets]]:
    """Batches joined until their moments are small beside them."""
    import torch

    make = class_targets if task_named(task).kind == "classification" else real_targets
    features: list[torch.Tensor] = []
    targets: list[Targets] = []
    for number, (batch, labels) in enumerate(batches):
        features.append(_checked(batch, number, features))
        targets.append(make(_on_host(labels), len(batch), in_part=True))
        least = max(_LEAST_ROWS, _ROWS_PER_FEATURE * batch.shape[1])
        if sum(map(len, features)) >= least:
            yield torch.cat(features), joined_targets(targets)
            features, targets = [], []
    if features:
        yield torch.cat(features), joined_targets(targets)


def _checked(batch: torch.Tensor, number: int, before: list[torch.Tensor]) -> torch.Tensor:
    batch = batch.detach()
    fits = batch.ndim == 2 and batch.numel() > 0 and batch.is_floating_point()
    if not fits or not bool((batch.abs() <= LARGEST).all()):
        # On the host, where the check says how many rows and which is the first.
        try:
            check_features(_on_host(batch))
        except InputError as error:
            raise InputError(f"Batch {number}: {error}") from None
        return batch.double()
    if before and before[0].shape[1] != batch.shape[1]:
        raise InputError(
            f"All `features` must have the same width; got {before[0].shape[1]} and "
            f"{batch.shape[1]} in batch {number}."
        )
    return batch


def _on_host(values: Any) -> Any:
    """A tensor as an array, of a type that numpy has; anything else as it is."""
    if not hasattr(values, "detach"):
        return values
    host = values.detach().cpu()
    return (host.double() if host.is_floating_point() else host).numpy()


def _moments(features: torch.Tensor, targets: Targets) -> Moments:
    import torch

    rows = features.to(torch.float64)
    # About the first row and then about their mean, so that a constant feature stays constant.
    first = rows[0]
    rows = rows - first
    step = rows.mean(dim=0)
    rows -= step
    squares = (rows * rows).sum(dim=1)
    return Moments(
        len(rows),
        _array(first + step),
        _array(rows.T @ rows),
        targets.mean(),
        _array(_by_target(rows, targets)).T.copy(),
        target_products(targets),
        _array(squares @ rows),
        float(squares @ squares),
    )


def _by_target(rows: torch.Tensor, targets: Targets) -> torch.Tensor:
    """Sum of rows times centred targets `(m, d)`."""
    import torch

    mean = torch.from_numpy(targets.mean()).to(rows.device)
    if targets.codes is None:
        columns = torch.from_numpy(targets.matrix()).to(rows.device) - mean
        return columns.T @ rows
    codes = torch.from_numpy(targets.codes).to(rows.device)
    sums = rows.new_zeros((targets.n_columns, rows.shape[1])).index_add_(0, codes, rows)
    return sums - torch.outer(mean, rows.sum(dim=0))


def _sample(features: torch.Tensor, targets: Targets, size: int, seed: int) -> RowSample:
    """The rows that `sample_of` would keep, by keys computed on the device."""
    import torch

    if size < 0:
        raise InputError(f"`sample_size` must not be negative; got {size}.")
    multipliers = key_multipliers(features.shape[1], seed).view(np.int64)
    factors = torch.from_numpy(multipliers).to(features.device)
    words = features.to(torch.float64).contiguous().view(torch.int64)
    # Shifting a signed number copies its sign; the mask takes the copies off.
    words = words ^ ((words >> 32) & 0xFFFFFFFF)
    sums: NDArray[np.int64] = (words * factors).sum(dim=1).cpu().numpy()
    keys = mixed_keys(sums.view(np.uint64))
    kept = chosen_rows(keys, targets, size)
    rows = _on_host(features[torch.from_numpy(kept).to(features.device)])
    single = features.dtype != torch.float64
    checked = LabelledRows(rows.astype(np.float32) if single else rows, targets.take(kept))
    return RowSample(checked, keys[kept], size, seed)


def _array(tensor: torch.Tensor) -> NDArray[np.float64]:
    array: NDArray[np.float64] = tensor.cpu().numpy()
    return array
