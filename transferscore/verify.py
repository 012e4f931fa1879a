"""From a ranking to its verification: the short-list is read, trained, and told beside it."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from transferscore.datasets import Dataset, read_dataset, sample_dataset
from transferscore.encoders import Encoder, FeaturesFile, resolve_encoder, resolve_models
from transferscore.errors import DatasetError, EncoderError, InputError
from transferscore.features import open_store
from transferscore.ranking.ranking import Ranking
from transferscore.ranking.verification import (
    Contender,
    Fold,
    Verification,
    folds_of,
    verify_contenders,
)
from transferscore.strategies.strategy import resolve_strategies
from transferscore.strategies.units import parse_seconds

__all__ = ["verify"]


def verify(  # noqa: PLR0913 -- a ranking, where to find what it names, and how to test
    ranking: Ranking | Mapping[str, Any] | str | Path,
    *,
    dataset: Any = None,
    models: Any = None,
    top: int = 3,
    budget: str | float = "10min",
    folds: int = 3,
    test_split: str | None = None,
    device: str = "auto",
    cache: bool | str | Path = True,
    tell: Callable[[str], None] = lambda _: None,
) -> Verification:
    """Train the first candidates of a ranking and show what they reach beside what was predicted.

    By successive halving within a budget: all of them on one fold, then the better half on two,
    and so on. Each fold is kept as soon as it is done, so a run that is stopped goes on where it
    was; results are shown as priors by later rankings of the same models.

    Args:
        ranking: A `Ranking`, its document, or the file of `transferscore rank --format json`.
        dataset: What was ranked on, where the document does not say where to read it: a path, a
            `Dataset`.
        models: Encoders, modules or a mapping name to model, where the names in the ranking are no
            URIs.
        top: How many candidates; those that break a limit are left out while others are there.
        budget: Time, such as "10min"; no fold is begun after it.
        folds: Of the samples that were ranked on.
        test_split: Train on all of those and test on the rows of this split instead.
        device: "auto", "cpu" or "cuda".
        cache: Whether results are kept and used again, or the folder to keep them in.
        tell: Called with a line for each fold that is done.

    Returns:
        Predicted beside measured, best measured first.

    Raises:
        InputError: The file is no ranking, or an argument cannot be used.
        DatasetError: The dataset cannot be read as it was.
        EncoderError: A model cannot be found again.
    """
    document = _document(ranking)
    if top < 1:
        raise InputError(f"`top` must be at least 1; got {top}.")
    seconds = parse_seconds(budget, "budget")
    seed = int(document["dataset"]["seed"])
    target = _read(document, dataset, document["dataset"]["split"])
    target = sample_dataset(target, document["dataset"]["n_samples"], seed)
    divisions = folds_of(target, folds, seed) if test_split is None else []
    if test_split is not None:
        target, division = _with_test_rows(target, _read(document, dataset, test_split))
        divisions = [division]
    return verify_contenders(
        _contenders(document, models, top, device),
        target,
        divisions,
        budget_seconds=seconds,
        store=open_store(cache),
        seed=seed,
        tell=tell,
    )


def _document(ranking: Ranking | Mapping[str, Any] | str | Path) -> Mapping[str, Any]:
    """The ranking document.

    Raises:
        InputError: The file is not there, or no ranking.
    """
    if isinstance(ranking, Ranking):
        return ranking.to_dict()
    content: Any = ranking
    if isinstance(ranking, str | Path):
        try:
            content = json.loads(Path(ranking).read_text(encoding="utf-8"))
        except OSError as error:
            raise InputError(f"`{ranking}` cannot be read: {error.strerror}.") from error
        except ValueError as error:
            raise InputError(f"`{ranking}` is no JSON document: {error}.") from error
    if not isinstance(content, Mapping) or not {"dataset", "candidates"} <= set(content):
        raise InputError(
            "A ranking must have `dataset` and `candidates`, as `transferscore rank --format json` "
            f"writes it; got {_keys(content)}."
        )
    return content


def _keys(content: Any) -> str:
    return f"keys {sorted(content)}" if isinstance(content, Mapping) else type(content).__name__


def _read(document: Mapping[str, Any], dataset: Any, split: str | None) -> Dataset:
    """The dataset that was ranked on, or another split of it."""
    about = document["dataset"]
    if isinstance(dataset, Dataset):
        return dataset
    source = about.get("source") if dataset is None else dataset
    if source is None:
        raise DatasetError(
            f"The ranking of `{about['name']}` does not say where its samples are, since they were "
            f"in memory; pass `dataset` (--data)."
        )
    return read_dataset(source, task=about["task"], split=split, columns=about.get("columns"))


def _with_test_rows(train: Dataset, test: Dataset) -> tuple[Dataset, Fold]:
    """Both splits as one dataset, and which rows are which.

    Raises:
        DatasetError: The test split has a class that was not trained on.
    """
    if unknown := sorted(set(test.class_names) - set(train.class_names)):
        raise DatasetError(
            f"The split `{test.split}` must have the classes of `{train.split}` only; it also has "
            f"{', '.join(unknown[:5])}."
        )
    labels = test.labels
    if train.n_classes:
        ids = [train.class_names.index(name) for name in test.class_names]
        labels = np.asarray(ids, dtype=np.int64)[test.labels]
    n, m = len(train), len(test)
    both = replace(
        train,
        samples=[*train.samples, *test.samples],
        labels=np.concatenate([train.labels, labels]),
        rows=np.concatenate([train.rows, test.rows]),
    )
    return both, (np.arange(n), np.arange(n, n + m))


def _contenders(
    document: Mapping[str, Any], models: Any, top: int, device: str
) -> Sequence[Contender]:
    """The first candidates that keep to the limits, with their models."""
    rows = [row for row in document["candidates"] if not row.get("baseline")]
    fitting = [row for row in rows if (row.get("cost") or {}).get("fits") is not False] or rows
    if not fitting:
        raise InputError("The ranking has no candidate to verify: every model failed.")
    known = {}
    if models is not None:
        known = {encoder.name: encoder for encoder in resolve_models(models, device=device)}
    return [_contender(row, known, device) for row in fitting[:top]]


def _contender(
    row: Mapping[str, Any], known: Mapping[str, Encoder | FeaturesFile], device: str
) -> Contender:
    name, predicted = row["model"], row["predicted"]
    encoder = known.get(name)
    if encoder is None:
        try:
            encoder = resolve_encoder(name, device=device)
        except EncoderError as error:
            raise EncoderError(
                f"The model `{name}` of the ranking cannot be found again: {error} "
                f"Pass it in `models`."
            ) from error
    if isinstance(encoder, FeaturesFile):
        raise EncoderError(f"`{name}` is a file of features: there is no model to train behind it.")
    (strategy,) = resolve_strategies(row["strategy"])
    cost = row.get("cost") or {}
    return Contender(
        encoder,
        strategy,
        predicted["value"],
        predicted["low"],
        predicted["high"],
        cost.get("train_seconds"),
    )
