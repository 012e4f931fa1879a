"""The whole pipeline in one function: dataset, encoders, features, statistics, scores, ranking."""

from __future__ import annotations

import functools
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from transferscore.baselines import baseline_of
from transferscore.datasets import Columns, Dataset, read_dataset, sample_dataset, sample_digests
from transferscore.distances import Fingerprint
from transferscore.encoders import Described, Encoder, FeaturesFile
from transferscore.encoders.loading import Lazily
from transferscore.events import (
    CandidateDone,
    CandidateFailed,
    CandidateStarted,
    Event,
    SamplesEncoded,
)
from transferscore.features import Entry, Features, Store, extract_features, open_store
from transferscore.ranking import (
    Evaluated,
    Evaluation,
    Failure,
    Fingerprints,
    Keeper,
    KeepNothing,
    Outcome,
    Ranking,
    assemble_ranking,
    evaluate,
    evaluation_key,
    evaluation_of_entry,
    fingerprints_of,
    source_distance,
    with_baseline,
    with_source,
)
from transferscore.ranking.priors import Prior, priors_of, with_same_rows
from transferscore.scores.registry import check_scores
from transferscore.strategies.limits import NO_LIMITS, Limits, parse_limits
from transferscore.strategies.option import PROBE, Option, option_of_dict
from transferscore.strategies.options import options_key, options_of
from transferscore.strategies.strategy import Strategy, resolve_strategies
from transferscore.wording import one_line

__all__ = ["rank"]


def rank(  # noqa: PLR0913 -- the one call that every door offers
    dataset: Any,
    models: Any,
    *,
    labels: Any = None,
    task: str | None = None,
    split: str | None = None,
    columns: Columns | None = None,
    scores: str | Sequence[str] | None = None,
    strategies: str | Strategy | Iterable[str | Strategy] = "linear_probe",
    limits: Limits | Mapping[str, Any] | None = None,
    max_samples: int | None = None,
    seed: int = 0,
    device: str = "auto",
    cache: bool | str | Path = True,
    trust_remote_code: Sequence[str] = (),
    fingerprints: Mapping[str, str | Path | Fingerprint] | None = None,
    on_event: Callable[[Event], None] | None = None,
    keeper: Keeper | None = None,
    baseline: bool = True,
) -> Ranking:
    """Rank pretrained models for a labelled dataset, before anything is trained.

    Each model turns the samples into features once. From them come its transferability scores and
    the accuracy (or the task's own metric) that a linear probe on the frozen features will reach,
    with an interval; the order is by that. With `strategies`, also what fine-tuning will reach and
    take. A model that fails becomes a failure row and the run goes on.

    Args:
        dataset: Anything that `read_dataset` takes: a path or URI, `hf:NAME`, a frame, a Hugging
            Face or torch dataset, a `Dataset`, or samples in memory with `labels`.
        models: One or several of: a URI such as `onnx:model.onnx` or `hf:folder` (globs allowed), a
            `torch.nn.Module`, a function from samples to features; or a mapping name to model.
        labels: `(n,)`, with samples in memory.
        task: "classification", "multilabel", "regression" or "token_classification"; by default
            told from the labels.
        columns: The columns of each role where the dataset has columns, as
            {"text": "review", "label": "stars"}; guessed, and said so, where none are named.
        split: Which split to rank on where there are several; the training split by default.
        scores: Names of the scores to compute, or "all"; by default the eight of RANKING_SCORES
            that apply.
        strategies: Ways to adapt each model: "all", names of `transferscore.strategies.STRATEGIES`
            separated by commas, or your own `Strategy`. With any but the default, pairs of model
            and strategy are ranked, with what training takes and a recipe.
        limits: What training may take, as {"max_gpu_memory": "24GB", "max_train_time": "2h",
            "max_cost": 5, "price_per_hour": 2.5}; for training elsewhere also "train_device", or
            "device_flops" and "device_memory". Those that break one come last and say which.
        max_samples: Rank on a stratified sample of this size.
        seed: Seed of every random choice.
        device: "auto", "cpu" or "cuda".
        cache: Whether features are kept for the next run, or the folder to keep them in.
        trust_remote_code: Models that may run the code they come with, by what follows the scheme
            in their URI, such as "org/name"; without it, such a model is refused.
        fingerprints: Fingerprints of what models were trained on, or their files, by model; one
            that lies beside a model as `MODEL.fingerprint.safetensors` is found by itself.
        on_event: Called with each `transferscore.events` value as the run goes on.
        keeper: Remembers finished candidates and loaded models beyond this call; see
            `transferscore.ranking.Keeper`. It makes the encoders, and decides whom it trusts.
        baseline: Whether a row says what simple features of the samples reach without any
            pretrained model: pixels, bags of words, mel statistics, scaled columns.

    Returns:
        The ranking; `print` it, or take `.best`, `.candidates`, `.failures`, `.to_dict()`.

    Raises:
        DatasetError: The dataset cannot be read as asked.
        EncoderError: A model URI cannot be understood, or a glob matches nothing.
        UnknownNameError: No score, task, strategy, limit or device of that name, or a fingerprint
            of no model.
        InputError: A limit cannot be read.
        StoreError: The cache folder cannot be written.
    """
    target = read_dataset(dataset, labels=labels, task=task, split=split, columns=columns)
    target = sample_dataset(target, max_samples, seed)
    names = check_scores(scores, target.task.scored_as)
    ceilings, ways = parse_limits(limits), resolve_strategies(strategies)
    keeper = keeper or KeepNothing(trust_remote_code)
    digests = Lazily(lambda: sample_digests(target))
    asked = _Asked(names, () if _is_plain(ways, ceilings) else ways, seed)
    encoders = keeper.encoders(models, device)
    sources = fingerprints_of(fingerprints, encoders)
    run = _Run(target, asked, open_store(cache), on_event or _silent, keeper, digests, sources)
    outcomes = [run.outcome(encoder, i, len(encoders)) for i, encoder in enumerate(encoders)]
    if run.store is not None:
        run.store.trim()
    evaluated = [outcome for outcome in outcomes if isinstance(outcome, Evaluated)]
    failures = [outcome for outcome in outcomes if isinstance(outcome, Failure)]
    reference = run.baseline() if baseline and _is_raw(target, encoders) else None
    ranking = assemble_ranking(target, evaluated, failures, seed, ceilings)
    ranking = with_baseline(ranking, reference, evaluated, target, seed)
    return with_source(ranking, dataset, columns)


def _is_plain(strategies: Sequence[Strategy], limits: Limits) -> bool:
    """Whether only the probe is of interest, so that nothing needs to be looked into or timed."""
    return [strategy.name for strategy in strategies] == [PROBE] and limits == NO_LIMITS


@dataclass(frozen=True, slots=True)
class _Asked:
    """What is to be found out about each candidate; `strategies` is empty for the probe alone."""

    scores: Sequence[str] | None
    strategies: Sequence[Strategy]
    seed: int


@dataclass(frozen=True, slots=True)
class _Run:
    """What is the same for all candidates of one ranking."""

    target: Dataset
    asked: _Asked
    store: Store | None
    tell: Callable[[Event], None]
    keeper: Keeper
    digests: Lazily[list[str]]
    sources: Fingerprints

    def outcome(self, encoder: Encoder | FeaturesFile, position: int, total: int) -> Outcome:
        """What came of a candidate: as it was kept, or tried now and kept."""
        if (kept := self.keeper.finished(position)) is not None:
            return kept
        self.tell(CandidateStarted(encoder.name, position + 1, total))
        outcome = self.candidate(encoder)
        self.keeper.keep(position, outcome, self.target)
        return outcome

    def candidate(self, encoder: Encoder | FeaturesFile) -> Outcome:
        """Evaluate one model; whatever goes wrong with it is a failure row, not the end."""
        began = time.perf_counter()
        try:
            features = functools.cache(lambda: self._features(encoder))
            evaluation, forward_seconds = self._evaluation(encoder, features)
            options = self._options(encoder, features)
        except Exception as error:
            failure = Failure(encoder.name, type(error).__name__, one_line(error))
            self.tell(CandidateFailed(failure.model, failure.error, failure.message))
            return failure
        finally:
            self.keeper.release(encoder)
        seconds = time.perf_counter() - began
        metric = self.target.task.metric
        self.tell(CandidateDone(encoder.name, metric, evaluation.value, seconds))
        details = dict(encoder.details()) if isinstance(encoder, Described) else {}
        return Evaluated(
            encoder.name,
            evaluation,
            seconds,
            forward_seconds,
            details,
            options,
            self._priors(encoder),
        )

    def _priors(self, encoder: Encoder | FeaturesFile) -> tuple[Prior, ...]:
        """What training the model reached before; the digests are taken only where it did."""
        found = priors_of(self.store, encoder.digest()) if self.store is not None else ()
        return with_same_rows(found, self.target, self.digests.get()) if found else ()

    def baseline(self) -> Outcome:
        """What simple features reach; no event tells of it, as it is no candidate of the user's."""
        asked = replace(self.asked, strategies=())
        run = replace(self, asked=asked, tell=_silent, keeper=KeepNothing())
        return run.candidate(baseline_of(self.target))

    def _evaluation(
        self, encoder: Encoder | FeaturesFile, features: Callable[[], Features]
    ) -> tuple[Evaluation, float]:
        """The evaluation, from the store where it has been made before."""
        key = self._key(encoder)
        if key is not None and self.store is not None and (entry := self.store.get(key)):
            return evaluation_of_entry(entry), 0.0
        evaluation = evaluate(features(), self.target, self.asked.scores)
        distance, notes = source_distance(
            encoder,
            self.target,
            features(),
            self.sources.of(encoder),
            self.store,
            None if key is None else self.digests.get(),
        )
        warnings = (*evaluation.warnings, *notes)
        evaluation = replace(evaluation, distance=distance, warnings=warnings)
        if key is not None and self.store is not None:
            self.store.put(key, evaluation.to_entry())
        return evaluation, features().forward_seconds

    def _features(self, encoder: Encoder | FeaturesFile) -> Features:
        return extract_features(
            encoder,
            self.target,
            store=self.store,
            on_progress=lambda done, stored: self.tell(
                SamplesEncoded(encoder.name, done, len(self.target), stored)
            ),
            digests=None if self.store is None else self.digests.get(),
        )

    def _options(
        self, encoder: Encoder | FeaturesFile, features: Callable[[], Features]
    ) -> tuple[Option, ...]:
        """What each strategy would reach and take, from the store where that was found before."""
        if not self.asked.strategies:
            return ()
        key = self._options_key(encoder)
        if key is not None and self.store is not None and (entry := self.store.get(key)):
            return tuple(option_of_dict(option) for option in entry.about["options"])
        strategies, seed = self.asked.strategies, self.asked.seed
        options = options_of(encoder, self.target, features(), strategies, seed=seed)
        if key is not None and self.store is not None:
            self.store.put(key, Entry({}, {"options": [option.to_dict() for option in options]}))
        return options

    def _options_key(self, encoder: Encoder | FeaturesFile) -> str | None:
        """None where a strategy is the caller's own: its name does not say what it does."""
        if (key := self._key(encoder)) is None:
            return None
        return options_key(key, self.asked.strategies, self.asked.seed)

    def _key(self, encoder: Encoder | FeaturesFile) -> str | None:
        if self.store is None or (digest := encoder.digest()) is None:
            return None
        fingerprint = self.sources.of(encoder)
        source = "" if fingerprint is None else fingerprint.digest
        return evaluation_key(digest, self.target, self.digests.get(), self.asked.scores, source)


def _is_raw(target: Dataset, encoders: Sequence[Encoder | FeaturesFile]) -> bool:
    """Whether the samples are what models read, not what one of them made of it already."""
    return target.modality != "array" or not any(isinstance(e, FeaturesFile) for e in encoders)


def _silent(_: Event) -> None:
    """Tell nobody."""
