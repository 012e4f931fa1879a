"""Which rows belong to the split that is asked for."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from transferscore.errors import DatasetError

__all__ = ["choose_split", "is_split_name"]

_ALIASES = {"training": "train", "testing": "test", "valid": "validation", "val": "validation"}
_NAMES = frozenset({"train", "test", "validation", "dev", *_ALIASES})


def is_split_name(folder: str) -> bool:
    """Whether a folder is called as splits usually are, in any case."""
    return folder.lower() in _NAMES


def choose_split(
    splits: Sequence[str] | None, wanted: str | None, where: str
) -> tuple[NDArray[np.bool_] | None, str | None]:
    """A mask of the rows to read, and the name of their split.

    Args:
        splits: Split of each of the n rows, "" for a row in none; None if there are no splits.
        wanted: The split to read; None for the train split, or for all rows where there are none.
        where: The source, for the message.

    Returns:
        Mask `(n,)` and the name as the source has it; None and None where there are no splits.

    Raises:
        DatasetError: The split is not there; the message lists those that are.
    """
    known = [] if splits is None else list(dict.fromkeys(name for name in splits if name))
    if splits is None or not known:
        if wanted is not None:
            raise DatasetError(
                f"`{where}` has no splits; got `split={wanted!r}`. "
                "Leave `split` out to read all rows."
            )
        return None, None
    same = [name for name in known if _canonical(name) == _canonical(wanted or "train")]
    if not same:
        names = ", ".join(repr(name) for name in known)
        raise DatasetError(
            f"`{where}` has no split {wanted or 'train'!r}; it has {names}. "
            "Say which one to read with `split`."
        )
    return np.isin(np.array(splits, dtype=str), same), same[0]


def _canonical(name: str) -> str:
    lower = name.strip().lower()
    return _ALIASES.get(lower, lower)
