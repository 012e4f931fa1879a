"""Column features: numbers scaled and categories as 0/1, by scikit-learn's own preprocessing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from transferscore.datasets import TableRow

__all__ = ["column_features"]

_MOST_CATEGORIES = 50  # of a column; the rarer ones share one
Library = Any  # a transformer of scikit-learn


def column_features(
    rows: Sequence[TableRow],
) -> Callable[[Sequence[TableRow]], NDArray[np.float32]]:
    """Numbers with the median where none stands, scaled; categories as 0/1; fitted to `rows`.

    Returns:
        A function from b rows to `(b, d)`.
    """
    fitted = [_fitted([row.values[k] for row in rows]) for k in range(len(rows[0].values))]

    def transform(some: Sequence[TableRow]) -> NDArray[np.float32]:
        columns = [
            np.asarray(step(_column([row.values[k] for row in some], is_number)))
            for k, (step, is_number) in enumerate(fitted)
        ]
        return np.hstack(columns).astype(np.float32)

    return transform


def _fitted(values: Sequence[float | str | None]) -> tuple[Callable[[Any], Any], bool]:
    """What turns a column into features, and whether it takes numbers."""
    is_number = not any(isinstance(value, str) for value in values)
    pipeline = _numeric() if is_number else _categorical()
    return pipeline.fit(_column(values, is_number)).transform, is_number


def _column(values: Sequence[float | str | None], is_number: bool) -> NDArray[Any]:
    if is_number:
        return np.array([np.nan if v is None else v for v in values], dtype=np.float64)[:, None]
    return np.array(["" if v is None else str(v) for v in values], dtype=object)[:, None]


def _numeric() -> Library:
    from sklearn.impute import SimpleImputer
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    imputer = SimpleImputer(strategy="median", add_indicator=True, keep_empty_features=True)
    return make_pipeline(imputer, StandardScaler())


def _categorical() -> Library:
    from sklearn.preprocessing import OneHotEncoder

    return OneHotEncoder(
        handle_unknown="infrequent_if_exist", max_categories=_MOST_CATEGORIES, sparse_output=False
    )
