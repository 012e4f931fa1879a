"""How far a tuned probe lies from what the ridge foretells, in average precision and in R2.

Predicted: the held-out ridge on n rows, with the spread of its losses. Measured: a probe tuned by
cross-validation on those rows (logistic regression a label, ridge for numbers) and tested on all
other rows of the training split. Several labels are made of the zoo's sets: the classes, and three
traits of an image (light, red, green) or text (a digit, longer than most, "of"); spoken digits have
the speaker too. Numbers to foretell are those traits of images, the length of texts, and STS-B.

Run by hand: `pytest tests/benchmarks/bench_mismatch.py -m bench -s`; SEEDS=1 draws less often.
"""

from __future__ import annotations

import os
import re
import warnings
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from tests.benchmarks.bench_tasks import ZOO, minilm, onnx, r2, several_labels
from transferscore.datasets import Dataset, read_dataset, sample_dataset
from transferscore.datasets.task import task_named
from transferscore.encoders import resolve_encoder
from transferscore.features import Store, extract_features
from transferscore.ranking.prediction import held_out_metric
from transferscore.statistics import Statistics

pytestmark = pytest.mark.bench

SIZES, SEEDS = (100, 200, 400), int(os.environ.get("SEEDS", "3"))
QUANTILE = 1.645
IMAGES = {
    "flowers5": "mobilenet_v1_0.25_128_imagenet resnet20_cifar10",
    "sign_language_digits": "mobilenet_v1_0.5_160_imagenet resnet20_cifar10",
    "cifar10": "mobilenet_v1_0.25_128_imagenet tiny_darknet_imagenet",
}
TEXTS = {"trec6": "chars2vec_eng_150", "ag_news": "reactionrnn"}
SOUNDS = "yamnet_audioset kws_dscnn_speechcommands silero_vad_16k"
Table = tuple[str, np.ndarray, np.ndarray]  # task, features, labels


def tables(store: Store) -> Iterator[Table]:
    for name, models in IMAGES.items():
        yield from _tables(read(f"image/{name}.zip"), onnx("image", models), store)
    for name, model in TEXTS.items():
        yield from _tables(read(f"text/{name}.tsv"), [minilm()[0], *onnx("text", model)], store)
    pairs = [minilm()[0], *onnx("text", "chars2vec_eng_150")]
    yield from _tables(read("text/stsb_sub.tsv"), pairs, store)
    sounds = sample_dataset(several_labels("train"), 1000, seed=0)
    yield from _tables(sounds, onnx("audio", SOUNDS), store)


def read(path: str) -> Dataset:
    whole = read_dataset(ZOO / "datasets" / path, split="train")
    return sample_dataset(whole, min(1000, len(whole)), seed=0)


def _tables(dataset: Dataset, models: list[str], store: Store) -> Iterator[Table]:
    targets = targets_of(dataset)
    for model in models:
        encoder = resolve_encoder(model)
        features = extract_features(encoder, dataset, store=store)
        encoder.release()
        for task, labels in targets.items():
            yield task, features.values, labels[features.kept]


def targets_of(dataset: Dataset) -> dict[str, np.ndarray]:
    """Labels by task."""
    labels = np.asarray(dataset.labels, dtype=np.float64)
    if dataset.task.kind == "multilabel":
        return {"multilabel": labels}
    if dataset.task.kind == "regression":
        return {"regression": labels.reshape(len(labels), -1)}
    classes = np.eye(int(labels.max()) + 1)[labels.astype(int)]
    traits, numbers = image_traits(dataset) if dataset.modality == "image" else text_traits(dataset)
    return {"multilabel": np.hstack([classes, traits]), "regression": numbers}


def image_traits(dataset: Dataset) -> tuple[np.ndarray, np.ndarray]:
    colour = np.array([sample.pixels((8, 8)).mean((0, 1)) for sample in dataset.samples])
    red, green, blue = colour.T
    numbers = np.stack([colour.mean(axis=1), red - blue, green - red], axis=1)
    limits = np.quantile(numbers, (0.5, 0.7, 0.85), axis=0).diagonal()
    return (numbers > limits).astype(np.float64), numbers


def text_traits(dataset: Dataset) -> tuple[np.ndarray, np.ndarray]:
    lengths = np.array([len(text) for text in dataset.samples])
    traits = [
        [bool(re.search(r"\d", text)), len(text) > np.median(lengths), " of " in text]
        for text in dataset.samples
    ]
    return np.array(traits, dtype=np.float64), np.log(lengths)[:, None]


def average_precision(X, labels, held, truth) -> float:
    """By the C of 10^-3 to 1 that does best in three folds, over labels with three rows or more."""
    from sklearn.linear_model import LogisticRegressionCV
    from sklearn.metrics import average_precision_score
    from sklearn.model_selection import StratifiedKFold

    folds = StratifiedKFold(3, shuffle=True, random_state=0)
    values = []
    for label, actual in zip(labels.T, truth.T, strict=True):
        if min(label.sum(), (1 - label).sum()) < 3 or not actual.any():
            continue
        probe = LogisticRegressionCV(
            Cs=np.logspace(-3, 0, 4), cv=folds, scoring="average_precision", max_iter=100
        ).fit(X, label)
        values.append(average_precision_score(actual, probe.decision_function(held)))
    return float(np.mean(values))


PROBES = {"multilabel": average_precision, "regression": r2}


def compared(table: Table, n: int, seed: int) -> tuple[float, float, float]:
    """Measured less predicted, the spread of the prediction, and that of the measurement."""
    task, features, labels = table
    order = np.random.default_rng(seed).permutation(len(features))
    rows, others = order[:n], order[n:]
    statistics = Statistics(features[rows], labels[rows], task=task)
    held_out = held_out_metric(statistics, task_named(task))
    spread = float(np.std(held_out.losses)) / np.sqrt(n)
    mean, scale = features[rows].mean(axis=0), features[rows].std(axis=0)
    X, held = ((features[i] - mean) / np.where(scale > 0, scale, 1.0) for i in (rows, others))
    if n < X.shape[1]:  # a rotation changes nothing, and makes the fit small
        _, _, right = np.linalg.svd(X, full_matrices=False)
        X, held = X @ right.T, held @ right.T
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        measured = PROBES[task](X, labels[rows], held, labels[others])
    return measured - held_out.value, spread, spread * np.sqrt(n / len(others))


@pytest.mark.skipif(not ZOO.is_dir(), reason="the zoo of real datasets is not beside this checkout")
def test_how_far_a_tuned_probe_lies_from_the_prediction(tmp_path):
    from transferscore.ranking.uncertainty import _MISMATCHES

    every = list(tables(Store(Path(tmp_path))))
    for task in PROBES:
        chosen, kind = [t for t in every if t[0] == task], _MISMATCHES[task_named(task).metric]
        for n in SIZES:
            found = [compared(table, n, seed) for seed in range(SEEDS) for table in chosen]
            error, spread, tested = np.array(found).T
            term = min(kind.scale / n**kind.power, kind.most)
            left = np.mean(error**2 - spread**2 - tested**2)
            inside = np.abs(error) <= QUANTILE * np.hypot(spread, term)
            print(
                f"{task}, {n} rows, {len(found)} comparisons: bias {error.mean():+.3f}, mismatch "
                f"{np.sqrt(max(left, 0.0)):.3f} (stated {term:.3f}), {inside.mean():.0%} within",
                flush=True,
            )
            assert inside.mean() > 0.75
