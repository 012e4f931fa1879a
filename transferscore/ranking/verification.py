"""Verification: the short-list trained for real, with predicted beside measured."""

from __future__ import annotations

import hashlib
import math
import time
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from transferscore.datasets import Dataset
from transferscore.encoders import Encoder
from transferscore.errors import InputError
from transferscore.features import Entry, Store
from transferscore.ranking.priors import Prior, data_digest, remember_prior
from transferscore.strategies.circumstances import circumstances_of
from transferscore.strategies.recipe import recipe_of
from transferscore.strategies.strategy import Strategy
from transferscore.strategies.training import TrainingPlan, train_strategy

__all__ = [
    "Contender",
    "Verification",
    "Verified",
    "folds_of",
    "verify_contenders",
]

# Of the budget, what the first round may take: later ones train fewer, on more folds.
_FIRST_ROUND = 0.6
# Below this share of a full run one learning rate is tried instead of three.
_ONE_RATE = 0.3


@dataclass(frozen=True, slots=True)
class Contender:
    """A candidate to be trained.

    Attributes:
        encoder: The model.
        strategy: How it is adapted.
        predicted: Expected metric.
        low: Lower end of its 90 % interval.
        high: Upper end.
        train_seconds: What a run was predicted to take; None where unknown.
    """

    encoder: Encoder
    strategy: Strategy
    predicted: float
    low: float
    high: float
    train_seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Verified:
    """What came of a contender.

    Attributes:
        model: Its name.
        strategy: How it was adapted.
        predicted: Expected metric.
        low: Lower end of its 90 % interval.
        high: Upper end.
        measured: Mean of the metric over the folds that were trained; None where none was.
        spread: Standard deviation over folds; None with one.
        metrics: Mean of every metric that was measured.
        n_folds: Folds that were trained and tested.
        n_train: Labelled samples that each of them was trained on.
        epochs: Passes over the samples, the most of any fold; fewer where time was short.
        seconds: Time that training took, also where it was done by an earlier run.
        status: "measured", "dropped after N folds", "out of time" or "failed: ...".
        as_recipe: Whether training was as long as the recipe says; not where time was short.
    """

    model: str
    strategy: str
    predicted: float
    low: float
    high: float
    measured: float | None
    spread: float | None
    metrics: Mapping[str, float]
    n_folds: int
    n_train: int
    epochs: int
    seconds: float
    status: str
    as_recipe: bool = True


@dataclass(frozen=True, slots=True)
class Verification:
    """Predicted beside measured, the winner first.

    Attributes:
        dataset: Name of the dataset.
        metric: Name of the metric.
        results: One for each contender, those that were tested on most folds first.
        n_folds: Folds that the samples were divided into; 0 with held-out rows of another split.
        seconds: What this run took; results of an earlier run that was stopped cost nothing again.
    """

    dataset: str
    metric: str
    results: tuple[Verified, ...]
    n_folds: int
    seconds: float

    def to_dict(self) -> dict[str, Any]:
        """As the JSON document of `transferscore verify --format json`."""
        return {"schema_version": 1, **asdict(self), "results": [asdict(r) for r in self.results]}


Fold = tuple[NDArray[np.int64], NDArray[np.int64]]


@dataclass(frozen=True, slots=True)
class _Trained:
    """One fold of one contender."""

    value: float
    metrics: Mapping[str, float]
    n_train: int
    epochs: int
    seconds: float


def verify_contenders(  # noqa: PLR0913 -- who, on what, and within what
    contenders: Sequence[Contender],
    dataset: Dataset,
    folds: Sequence[Fold],
    *,
    budget_seconds: float,
    store: Store | None = None,
    seed: int = 0,
    tell: Callable[[str], None] = lambda _: None,
) -> Verification:
    """Train contenders by successive halving and say what they reach.

    In the first round all are trained on one fold, in each that follows the better half of them on
    twice as many, until folds, contenders or time run out. A run whose predicted time is more than
    its share of the budget has fewer epochs. Each fold is stored as soon as it is done.

    Args:
        contenders: What to train, best predicted first.
        dataset: Samples and labels.
        folds: (rows to train on, rows to test on), each a division of the samples.
        budget_seconds: No fold is begun after this time.
        store: Where results are kept and taken from; None for nowhere.
        seed: Of training.
        tell: Called with a line for each fold that is done.

    Raises:
        InputError: The task is not one that can be trained here.
    """
    if dataset.task.kind not in ("classification", "regression"):
        raise InputError(
            f"Verification trains for classification and regression; `{dataset.name}` is of "
            f"{dataset.task.kind}."
        )
    race = _Race(dataset, folds, store, seed, time.perf_counter(), budget_seconds, tell)
    plans = _plans(contenders, dataset, budget_seconds)
    done: list[list[_Trained]] = [[] for _ in contenders]
    status = ["out of time"] * len(contenders)
    running, n_wanted = list(range(len(contenders))), 1
    while running:
        for i in running:
            status[i] = race.train(contenders[i], plans[i], done[i], n_wanted)
        finished = [i for i in running if status[i] == "measured"]
        if n_wanted >= len(folds) or not finished or race.is_over():
            break
        finished.sort(key=lambda i: -_mean(done[i]))
        running = finished[: math.ceil(len(finished) / 2)]
        for i in set(finished) - set(running):
            status[i] = f"dropped after {len(done[i])} of {len(folds)} folds"
        n_wanted = min(2 * n_wanted, len(folds))
    parts = zip(contenders, plans, done, status, strict=True)
    results = [
        replace(_verified(contender, own, told), as_recipe=plan == _recipe_plan(contender, dataset))
        for contender, plan, own, told in parts
    ]
    race.remember(contenders, results)
    results.sort(key=lambda result: (-result.n_folds, -(result.measured or 0.0)))
    spent = time.perf_counter() - race.began
    return Verification(dataset.name, dataset.task.metric, tuple(results), len(folds), spent)


@dataclass(frozen=True, slots=True)
class _Race:
    """What is the same for all contenders."""

    dataset: Dataset
    folds: Sequence[Fold]
    store: Store | None
    seed: int
    began: float
    budget_seconds: float
    tell: Callable[[str], None]

    def is_over(self) -> bool:
        """Whether the time is spent."""
        return time.perf_counter() - self.began >= self.budget_seconds

    def train(
        self, contender: Contender, plan: TrainingPlan, done: list[_Trained], n_wanted: int
    ) -> str:
        """Train folds until `n_wanted` are done; returns the contender's status."""
        while len(done) < n_wanted:
            try:
                trained = self._fold(contender, plan, len(done))
            except Exception as error:
                return f"failed: {' '.join(str(error).split())}"
            finally:
                contender.encoder.release()
            if trained is None:
                return "out of time"
            done.append(trained)
            self.tell(
                f"{contender.encoder.name} by {contender.strategy.name}, fold {len(done)} of "
                f"{len(self.folds)}: {self.dataset.task.metric} {trained.value:.4f} in "
                f"{trained.seconds:.1f} s"
            )
        return "measured"

    def _fold(self, contender: Contender, plan: TrainingPlan, fold: int) -> _Trained | None:
        """A fold's result: from the store, or trained now if there is time; None if not."""
        key = self._key(contender, plan, fold)
        if key is not None and self.store is not None and (entry := self.store.get(key)):
            return _Trained(**entry.about)
        if self.is_over():
            return None
        rows = self.folds[fold]
        result = train_strategy(
            contender.encoder, contender.strategy, self.dataset, *rows, plan=plan, seed=self.seed
        )
        trained = _Trained(
            result.value, dict(result.metrics), result.n_train, result.epochs, result.seconds
        )
        if key is not None and self.store is not None:
            self.store.put(key, Entry({}, asdict(trained)))
        return trained

    def _key(self, contender: Contender, plan: TrainingPlan, fold: int) -> str | None:
        digest = contender.encoder.digest()
        if digest is None:
            return None
        rows = [hashlib.sha256(part.tobytes()).hexdigest() for part in self.folds[fold]]
        parts = [
            "verified-1",
            digest,
            contender.strategy.name,
            data_digest(self.dataset),
            *rows,
            repr(plan),
            str(self.seed),
        ]
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()

    def remember(self, contenders: Sequence[Contender], results: Sequence[Verified]) -> None:
        """Keep what was measured for later rankings of the same models."""
        if self.store is None:
            return
        for contender, result in zip(contenders, results, strict=True):
            digest = contender.encoder.digest()
            if digest is None or result.measured is None:
                continue
            prior = Prior(
                result.strategy,
                self.dataset.name,
                data_digest(self.dataset),
                self.dataset.task.metric,
                result.measured,
                result.n_train,
                result.n_folds,
                result.as_recipe,
            )
            remember_prior(self.store, digest, prior)


def folds_of(dataset: Dataset, n_folds: int, seed: int) -> list[Fold]:
    """Stratified folds, each tested on by a model that was trained on the others.

    Raises:
        InputError: There are fewer than two folds, or fewer samples than folds.
    """
    from sklearn.model_selection import KFold, StratifiedKFold

    if not 2 <= n_folds <= len(dataset):
        raise InputError(
            f"`folds` must be from 2 to the number of samples ({len(dataset)}); got {n_folds}."
        )
    divide = StratifiedKFold if dataset.n_classes else KFold
    with warnings.catch_warnings():
        # A class with fewer samples than folds is in some of them only, as it must be.
        warnings.simplefilter("ignore", UserWarning)
        parts = divide(n_folds, shuffle=True, random_state=seed).split(
            np.zeros(len(dataset)), dataset.labels
        )
        return [(np.asarray(train), np.asarray(test)) for train, test in parts]


def _plans(
    contenders: Sequence[Contender], dataset: Dataset, budget_seconds: float
) -> list[TrainingPlan]:
    """The recipe of each, shortened where a run would take more than its share of the time."""
    allowed = _FIRST_ROUND * budget_seconds / max(1, len(contenders))
    plans = []
    for contender in contenders:
        plan = _recipe_plan(contender, dataset)
        share = 1.0
        if contender.train_seconds is not None and contender.train_seconds > allowed:
            share = allowed / contender.train_seconds
        plans.append(_shortened(plan, share))
    return plans


def _recipe_plan(contender: Contender, dataset: Dataset) -> TrainingPlan:
    about = circumstances_of(dataset, contender.strategy, None)
    return recipe_of(contender.strategy.name, about).plan()


def _shortened(plan: TrainingPlan, share: float) -> TrainingPlan:
    if share >= 1.0:
        return plan
    rates = plan.learning_rates or ()
    if share < _ONE_RATE and rates:
        # Without the search a run is a fraction of its length already.
        rates, share = (rates[len(rates) // 2],), min(1.0, share / _ONE_RATE)
    return replace(
        plan,
        learning_rates=rates,
        epochs=max(1, round(plan.epochs * share)),
        search_epochs=max(1, round(plan.search_epochs * share)),
    )


def _verified(contender: Contender, done: Sequence[_Trained], status: str) -> Verified:
    values = [each.value for each in done]
    names = done[0].metrics if done else ()
    return Verified(
        contender.encoder.name,
        contender.strategy.name,
        contender.predicted,
        contender.low,
        contender.high,
        float(np.mean(values)) if values else None,
        float(np.std(values, ddof=1)) if len(values) > 1 else None,
        {name: float(np.mean([each.metrics[name] for each in done])) for name in names},
        len(done),
        max((each.n_train for each in done), default=0),
        max((each.epochs for each in done), default=0),
        sum(each.seconds for each in done),
        status,
    )


def _mean(done: Sequence[_Trained]) -> float:
    return float(np.mean([each.value for each in done]))
