"""The whole pipeline in one function: dataset, encoders, features, statistics, scores, ranking."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from transferscore.datasets import Columns, Dataset, read_dataset, sample_dataset, sample_digests
from transferscore.encoders import Described, Encoder, FeaturesFile
from transferscore.encoders.loading import Lazily
from transferscore.events import (
    CandidateDone,
    CandidateFailed,
    CandidateStarted,
    Event,
    SamplesEncoded,
)
from transferscore.features import Store, default_store_path, extract_features
from transferscore.ranking import (
    Evaluated,
    Evaluation,
    Failure,
    Keeper,
    KeepNothing,
    Outcome,
    Ranking,
    assemble_ranking,
    evaluate,
    evaluation_key,
    evaluation_of_entry,
)
from transferscore.scores.registry import check_scores

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
    max_samples: int | None = None,
    seed: int = 0,
    device: str = "auto",
    cache: bool | str | Path = True,
    trust_remote_code: Sequence[str] = (),
    on_event: Callable[[Event], None] | None = None,
    keeper: Keeper | None = None,
) -> Ranking:
    """Rank pretrained models for a labelled dataset, before anything is trained.

    Each model turns the samples into features once. From them come its transferability scores and
    the accuracy (or the task's own metric) that a linear probe on the frozen features will reach,
    with an interval; the order is by that. A model that fails becomes a failure row and the run
    goes on.

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
        max_samples: Rank on a stratified sample of this size.
        seed: Seed of every random choice.
        device: "auto", "cpu" or "cuda".
        cache: Whether features are kept for the next run, or the folder to keep them in.
        trust_remote_code: Models that may run the code they come with, by what follows the scheme
            in their URI, such as "org/name"; without it, such a model is refused.
        on_event: Called with each `transferscore.events` value as the run goes on.
        keeper: Remembers finished candidates and loaded models beyond this call; see
            `transferscore.ranking.Keeper`. It makes the encoders, and decides whom it trusts.

    Returns:
        The ranking; `print` it, or take `.best`, `.candidates`, `.failures`, `.to_dict()`.

    Raises:
        DatasetError: The dataset cannot be read as asked.
        EncoderError: A model URI cannot be understood, or a glob matches nothing.
        UnknownNameError: No score or task of that name.
        StoreError: The cache folder cannot be written.
    """
    target = read_dataset(dataset, labels=labels, task=task, split=split, columns=columns)
    target = sample_dataset(target, max_samples, seed)
    names = check_scores(scores, target.task.scored_as)
    keeper = keeper or KeepNothing(trust_remote_code)
    digests = Lazily(lambda: sample_digests(target))
    run = _Run(target, names, _open_store(cache), on_event or _silent, keeper, digests)
    encoders = run.keeper.encoders(models, device)
    outcomes = [run.outcome(encoder, i, len(encoders)) for i, encoder in enumerate(encoders)]
    if run.store is not None:
        run.store.trim()
    evaluated = [outcome for outcome in outcomes if isinstance(outcome, Evaluated)]
    failures = [outcome for outcome in outcomes if isinstance(outcome, Failure)]
    return assemble_ranking(target, evaluated, failures, seed)


@dataclass(frozen=True, slots=True)
class _Run:
    """What is the same for all candidates of one ranking."""

    target: Dataset
    scores: Sequence[str] | None
    store: Store | None
    tell: Callable[[Event], None]
    keeper: Keeper
    digests: Lazily[list[str]]

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
            evaluation, forward_seconds = self._evaluation(encoder)
        except Exception as error:
            failure = Failure(encoder.name, type(error).__name__, _one_line(error))
            self.tell(CandidateFailed(failure.model, failure.error, failure.message))
            return failure
        finally:
            self.keeper.release(encoder)
        seconds = time.perf_counter() - began
        metric = self.target.task.metric
        self.tell(CandidateDone(encoder.name, metric, evaluation.value, seconds))
        details = dict(encoder.details()) if isinstance(encoder, Described) else {}
        return Evaluated(encoder.name, evaluation, seconds, forward_seconds, details)

    def _evaluation(self, encoder: Encoder | FeaturesFile) -> tuple[Evaluation, float]:
        """The evaluation, from the store where it has been made before."""
        key = self._key(encoder)
        if key is not None and self.store is not None and (entry := self.store.get(key)):
            return evaluation_of_entry(entry), 0.0
        features = extract_features(
            encoder,
            self.target,
            store=self.store,
            on_progress=lambda done, stored: self.tell(
                SamplesEncoded(encoder.name, done, len(self.target), stored)
            ),
            digests=None if key is None else self.digests.get(),
        )
        evaluation = evaluate(features, self.target, self.scores)
        if key is not None and self.store is not None:
            self.store.put(key, evaluation.to_entry())
        return evaluation, features.forward_seconds

    def _key(self, encoder: Encoder | FeaturesFile) -> str | None:
        if self.store is None or (digest := encoder.digest()) is None:
            return None
        return evaluation_key(digest, self.target, self.digests.get(), self.scores)


def _open_store(cache: bool | str | Path) -> Store | None:
    if cache is False:
        return None
    return Store(default_store_path() if cache is True else cache)


def _silent(_: Event) -> None:
    """Tell nobody."""


def _one_line(error: Exception) -> str:
    """The message of any exception as one line; its class where it has none."""
    return " ".join(str(error).split()) or type(error).__name__
