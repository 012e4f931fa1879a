"""Rows that are there twice: within the split that is read, or in another one as well."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from transferscore.datasets.dataset import Exclusion

__all__ = ["remarks_on_copies"]


def remarks_on_copies(
    samples: Sequence[Any] | NDArray[Any],
    index: NDArray[np.int64],
    splits: Sequence[str] | None,
    split: str | None,
) -> tuple[Exclusion, ...]:
    """What to say of rows that are copies of others; nothing is left out for it.

    A copy in the split that is read makes held-out rows easier than new ones will be; one in
    another split does the same to whatever is measured there. Files in a folder are not compared:
    that would read all of them.

    Args:
        samples: All rows of the source.
        index: Rows that are used.
        splits: Split of each row of the source, where there are splits.
        split: The split that was read.
    """
    keys = {row: key for row in index.tolist() if (key := _key(samples[row])) is not None}
    n_copies = len(keys) - len(set(keys.values()))
    remarks = []
    if n_copies:
        rows = "1 row is a copy" if n_copies == 1 else f"{n_copies} rows are copies"
        remarks.append(Exclusion(f"{rows} of another row", 0))
    if splits is not None and split is not None:
        remarks += _shared(samples, keys, splits, split)
    return tuple(remarks)


def _shared(
    samples: Sequence[Any] | NDArray[Any],
    keys: dict[int, Hashable],
    splits: Sequence[str],
    split: str,
) -> list[Exclusion]:
    used = set(keys.values())
    others: dict[str, set[Hashable]] = {}
    for row, name in enumerate(splits):
        if row not in keys and name not in ("", split) and (key := _key(samples[row])) in used:
            others.setdefault(name, set()).add(key)
    remarks = []
    for name, shared in others.items():
        count = sum(key in shared for key in keys.values())
        rows = "1 row is" if count == 1 else f"{count} rows are"
        remarks.append(Exclusion(f"{rows} also in the split {name!r}", 0))
    return remarks


def _key(sample: Any) -> Hashable | None:
    """What is equal for equal samples; None for one that only reading would tell."""
    if isinstance(sample, np.ndarray):
        return sample.tobytes()
    check = getattr(sample, "check", None)
    if check is not None:
        content: Hashable | None = check()
        return content
    return sample if isinstance(sample, Hashable) and sample is not None else None
