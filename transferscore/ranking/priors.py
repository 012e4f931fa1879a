"""Priors: what training a model reached before, kept beside its features and used again."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from transferscore.datasets import Dataset, sample_digests
from transferscore.features import Entry, Store

__all__ = ["Prior", "data_digest", "priors_of", "remember_prior", "with_same_rows"]


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
        as_recipe: Whether training was as long as its recipe says; None where nobody kept that.
        same_rows: Whether the data are those of the ranking that it is told beside.
    """

    strategy: str
    dataset: str
    data_digest: str
    metric: str
    value: float
    n_train: int
    n_folds: int
    as_recipe: bool | None = None
    same_rows: bool = False


def remember_prior(store: Store, model_digest: str, prior: Prior) -> None:
    """Keep a result for later rankings of the model; one of the same data and strategy is replaced.

    A run that was cut short does not replace one that was as long as its recipe says.

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
        kept = []
        for each in priors_of(store, model_digest):
            if (each.strategy, each.data_digest) != (prior.strategy, prior.data_digest):
                kept.append(each)
            elif each.as_recipe and not prior.as_recipe:
                return
        store.put(key, Entry({}, {"priors": [asdict(each) for each in (*kept, prior)]}))


def priors_of(store: Store | None, model_digest: str | None) -> Sequence[Prior]:
    """What was measured of a model before, oldest first."""
    if store is None or model_digest is None or (entry := store.get(_key(model_digest))) is None:
        return ()
    found: Sequence[Mapping[str, Any]] = entry.about["priors"]
    return tuple(Prior(**each) for each in found)


def with_same_rows(
    priors: Sequence[Prior], dataset: Dataset, digests: Sequence[str] | None = None
) -> tuple[Prior, ...]:
    """The priors, each knowing whether it was measured on the rows of a dataset.

    Args:
        priors: What `priors_of` found.
        dataset: What is ranked on.
        digests: Its `sample_digests`, where they are known already.
    """
    if not priors:
        return ()
    own = data_digest(dataset, digests)
    return tuple(replace(each, same_rows=each.data_digest == own) for each in priors)


def data_digest(dataset: Dataset, digests: Sequence[str] | None = None) -> str:
    """Hex digest of samples and labels, whatever their order.

    Args:
        dataset: The samples.
        digests: Their `sample_digests`, where they are known already.
    """
    labels = (str(label) for label in dataset.labels.tolist())
    own = sample_digests(dataset) if digests is None else digests
    rows = sorted(f"{a} {b}" for a, b in zip(own, labels, strict=True))
    return hashlib.sha256("\n".join(rows).encode()).hexdigest()


def _key(model_digest: str) -> str:
    return hashlib.sha256(f"priors-1\n{model_digest}".encode()).hexdigest()
