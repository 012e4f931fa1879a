"""A feature stream in O(d^2) memory: rows go into statistics as they come and are forgotten."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from transferscore.statistics import Statistics, statistics_of
from transferscore.v1 import types_pb2
from transferscore_server.errors import exhausted, invalid, precondition
from transferscore_server.settings import Limits
from transferscore_server.values.scoring import scores_named, task_name
from transferscore_server.values.tensors import check_crc, item_type, rows_array

__all__ = ["FeatureStream"]

# Adding costs some passes over a d x d matrix: rows wait until there are as many as that is worth.
_WAITING_BYTES = 8 * 2**20
_LEAST_ROWS = 1024
# What a caller may send of statistics before they are parsed: above the largest there can be.
_MOST_STATISTICS = 2**30


class FeatureStream:
    """What one stream has sent so far. `take` is cheap; `grow` and `finish` belong in a thread."""

    def __init__(self, header: Any, limits: Limits) -> None:
        """Begin with the header.

        Raises:
            CallError: A field of it is wrong.
        """
        self._limits = limits
        self._width = _between(header.feature_count, limits.max_stream_features, "feature_count")
        self._data_type = header.data_type
        item_type(header.data_type, "header.data_type")
        self.task = task_name(header.task, "header.task") or "classification"
        self._columns = _columns(header, self.task, limits)
        self.scores = scores_named(header.scores)
        self._seed = header.seed
        self._bytes = 0
        self._earlier = bytearray()
        self._waiting: list[tuple[NDArray[Any], NDArray[Any]]] = []
        self._statistics: Statistics | None = None

    def take(self, part: Any) -> bool:
        """Take one message; whether it is time to `grow`.

        Raises:
            CallError: It is no message of a stream, does not fit the header, or is too much.
        """
        kind = part.WhichOneof("part")
        if kind == "statistics":
            return self._take_statistics(part.statistics)
        if kind != "rows":
            raise invalid("part", f"must be `rows` or `statistics` after the header; got {kind}.")
        rows = part.rows
        self._count(len(rows.features) + len(rows.labels))
        if rows.HasField("crc32"):
            check_crc(rows.crc32, "rows", rows.features, rows.labels)
        n = _between(rows.row_count, 2**31 - 1, "row_count", "rows")
        features = rows_array(rows.features, self._data_type, (n, self._width), "rows.features")
        kind = types_pb2.DATA_TYPE_INT64 if self._has_classes else types_pb2.DATA_TYPE_FLOAT64
        labels = rows_array(rows.labels, kind, (n, self._columns), "rows.labels")
        self._waiting.append((features, labels))
        waiting = sum(len(block) for block, _ in self._waiting)
        size = waiting * self._width * features.itemsize
        return waiting >= max(_LEAST_ROWS, self._width) and size >= _WAITING_BYTES

    def grow(self) -> None:
        """Add the rows that wait to the statistics.

        Raises:
            InputError: A feature is not finite, or labels do not fit the task.
            CallError: There are more classes than a stream may have.
        """
        if self._earlier:
            self._statistics = Statistics.from_bytes(bytes(self._earlier))
            self._check_earlier(self._statistics)
            self._earlier.clear()
        if self._waiting:
            self._add(*(np.concatenate(parts) for parts in zip(*self._waiting, strict=True)))
            self._waiting.clear()

    def finish(self) -> bytes:
        """The statistics of all rows.

        Raises:
            CallError: There were no rows.
        """
        self.grow()
        if self._statistics is None:
            raise precondition("NO_ROWS", "The stream ended without rows; send some.")
        return self._statistics.to_bytes()

    @property
    def _has_classes(self) -> bool:
        return self.task in {"classification", "token_classification"}

    def _add(self, features: NDArray[Any], labels: NDArray[Any]) -> None:
        labels = labels[:, 0] if labels.shape[1] == 1 else labels
        if self._statistics is None:
            self._statistics = statistics_of([(features, labels)], task=self.task, seed=self._seed)
        else:
            self._statistics = self._statistics.add(features, labels)
        most = self._limits.max_stream_classes
        if self._has_classes and len(self._statistics.classes) > most:
            raise exhausted(
                "TOO_MANY_CLASSES",
                f"A stream may have {most} classes (Limits.max_stream_classes); it has more.",
            )

    def _take_statistics(self, piece: bytes) -> bool:
        if self._waiting or self._statistics is not None:
            raise invalid("statistics", "must come before the first rows.")
        self._count(len(piece))
        if len(self._earlier) + len(piece) > _MOST_STATISTICS:
            raise exhausted("TOO_LARGE", f"Statistics may have {_MOST_STATISTICS} bytes.")
        self._earlier += piece
        return False

    def _check_earlier(self, statistics: Statistics) -> None:
        expected = (self.task, self._width)
        if (statistics.task, statistics.n_features) != expected:
            raise invalid(
                "statistics",
                f"must be of the header's task and feature_count, {expected}; "
                f"got {(statistics.task, statistics.n_features)}.",
            )

    def _count(self, size: int) -> None:
        self._bytes += size
        most = self._limits.max_stream_bytes
        if most and self._bytes > most:
            raise exhausted(
                "TOO_LARGE", f"A stream may have {most} bytes (Limits.max_stream_bytes)."
            )


def _between(value: int, most: int, name: str, part: str = "header") -> int:
    if not 1 <= value <= most:
        raise invalid(f"{part}.{name}", f"must be 1 to {most}; got {value}.")
    return value


def _columns(header: Any, task: str, limits: Limits) -> int:
    count = header.label_count or (0 if task == "multilabel" else 1)
    columns = _between(count, limits.max_stream_classes, "label_count")
    if columns > 1 and task not in {"multilabel", "regression"}:
        raise invalid("header.label_count", f"must be 1 for {task}; got {columns}.")
    return columns
