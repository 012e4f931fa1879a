"""What a model's own classifier says of the samples, read in blocks of float64 probabilities."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from transferscore.statistics.discriminant import softmax
from transferscore.statistics.rows import row_blocks

__all__ = ["SourceClasses"]


@dataclass(frozen=True, slots=True)
class SourceClasses:
    """Source-class outputs of n samples, kept as they came.

    A thousand classes in float64 would weigh as much as the features; blocks of them do not.

    Attributes:
        outputs: `(n, C)` probabilities, or logits whose softmax they are.
        are_logits: Whether they are logits.
    """

    outputs: NDArray[Any]
    are_logits: bool = False

    def __len__(self) -> int:
        return len(self.outputs)

    @property
    def n_classes(self) -> int:
        """Number of source classes C."""
        return int(self.outputs.shape[1])

    def blocks(self) -> Iterator[tuple[slice, NDArray[np.float64]]]:
        """Rows and their probabilities `(len(rows), C)`, block after block."""
        for rows in row_blocks(len(self), self.n_classes):
            block = self.outputs[rows].astype(np.float64)
            yield rows, softmax(block) if self.are_logits else block

    def likeliest(self) -> NDArray[np.int64]:
        """The most likely source class of each sample `(n,)`."""
        likeliest: NDArray[np.int64] = self.outputs.argmax(axis=1)
        return likeliest
