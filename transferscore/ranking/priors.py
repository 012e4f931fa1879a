"""Priors: what training a model reached before, kept beside its features and shown again."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from transferscore.features import Entry, Store

__all__ = ["Prior", "priors_of", "remember_prior"]


@dataclass(frozen=True, slots=True)
class Prior:
    """A measured result of a model adapted one way.

    Attributes:
        strategy: How it was adapted.
        dataset: Name of the dataset.
        data_digest: Digest of its samples and labels: tells the same data from others of that name.
        metric: Name of the metric.
        value: What was measured, the mean over folds.
        n_train: Labelled samples that were trained on.
        n_folds: Folds that it is the mean of.
    """

    strategy: str
    dataset: str
    data_digest: str
    metric: str
    value: float
    n_train: int
    n_folds: int


def remember_prior(store: Store, model_digest: str, prior: Prior) -> None:
    """Keep a result for later rankings of the model; one of the same data and strategy is replaced.

    Args:
        store: Where features are kept.
        model_digest: `Encoder.digest()`.
        prior: The result.

    Raises:
        StoreError: The store cannot be written.
    """
    from filelock import FileLock

    key = _key(model_digest)
    with FileLock(store.path / ".priors.lock", timeout=30.0):
        kept = [
            each
            for each in priors_of(store, model_digest)
            if (each.strategy, each.data_digest) != (prior.strategy, prior.data_digest)
        ]
        store.put(key, Entry({}, {"priors": [asdict(each) for each in (*kept, prior)]}))


def priors_of(store: Store | None, model_digest: str | None) -> Sequence[Prior]:
    """What was measured of a model before, oldest first."""
    if store is None or model_digest is None or (entry := store.get(_key(model_digest))) is None:
        return ()
    found: Sequence[Mapping[str, Any]] = entry.about["priors"]
    return tuple(Prior(**each) for each in found)


def _key(model_digest: str) -> str:
    return hashlib.sha256(f"priors-1\n{model_digest}".encode()).hexdigest()
