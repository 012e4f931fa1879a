"""Tests of `transferscore.scores.catalogue`: all scores of one feature matrix."""

from __future__ import annotations

import re

import numpy as np
import pytest
from scipy.special import softmax

from tests.reference.inputs import class_input
from transferscore.errors import InputError, UnknownNameError
from transferscore.scores.catalogue import compute_scores, score
from transferscore.scores.energy import energy
from transferscore.scores.logme import logme
from transferscore.scores.registry import SCORES
from transferscore.statistics import Statistics

FEATURES, LABELS = class_input(40, 6)
PROBABILITIES = np.random.default_rng(0).dirichlet(np.ones(5), 40)


def test_all_that_apply_by_default():
    with_source = score(FEATURES, LABELS, source_probabilities=PROBABILITIES)
    assert list(with_source) == list(SCORES)
    without = score(FEATURES, LABELS)
    assert list(without) == [name for name, info in SCORES.items() if not info.needs_source]
    assert without.items() <= with_source.items()


@pytest.mark.parametrize("names", ["knn,logme", ["knn", "logme"]])
def test_only_those_asked_for_in_the_order_asked(names):
    assert list(score(FEATURES, LABELS, names)) == ["knn", "logme"]


def test_each_value_is_that_of_the_function_of_the_name():
    assert score(FEATURES, LABELS, "logme")["logme"] == logme(FEATURES, LABELS)


@pytest.mark.parametrize(
    ("labels", "task"),
    [
        (LABELS, "classification"),
        (LABELS.astype(float), "classification"),
        ([f"class {label}" for label in LABELS], "classification"),
        (LABELS + 0.5, "regression"),
        (np.eye(3)[LABELS], "multilabel"),
        (np.eye(3)[LABELS] + 0.5, "regression"),
    ],
)
def test_the_task_is_told_from_the_labels(labels, task):
    assert score(FEATURES, labels, "logme") == score(FEATURES, labels, "logme", task=task)


def test_whole_numbers_can_be_regressed_on():
    values = score(FEATURES, LABELS, "ridge_probe,logme", task="regression")
    assert values["logme"] == logme(FEATURES, LABELS, task="regression")
    assert values["logme"] != logme(FEATURES, LABELS)


def test_statistics_are_shared():
    statistics = Statistics(FEATURES, LABELS)
    compute_scores(statistics, "logme,h_score", "classification")
    spectrum = statistics.spectrum
    compute_scores(statistics, "shrinkage_h_score", "classification")
    assert statistics.spectrum is spectrum


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        (
            (np.ones((1000, 2)), np.arange(998) % 2),
            InputError,
            "`labels` must have one entry per row of `features` (1000); got 998.",
        ),
        (
            (FEATURES, LABELS, "leep"),
            InputError,
            "This score needs `source_probabilities`, the model's own class probabilities "
            "(n_samples, n_source_classes); none were given.",
        ),
        (
            (FEATURES, LABELS, "best"),
            UnknownNameError,
            f"There is no score named 'best'; the scores are {', '.join(sorted(SCORES))}.",
        ),
        ((FEATURES, 3), InputError, "`labels` must have shape (n,); got ()."),
        (
            (FEATURES, LABELS + 0.5, "leep"),
            InputError,
            "The score 'leep' has no meaning for regression; it is defined for classification.",
        ),
    ],
)
def test_what_cannot_be_scored(arguments, error, message):
    with pytest.raises(error, match=f"^{re.escape(message)}$"):
        score(*arguments)


def test_an_unknown_task_is_refused():
    message = (
        "`task` must be one of classification, multilabel, regression, token_classification; "
        "got 'ranking'."
    )
    with pytest.raises(UnknownNameError, match=re.escape(message)):
        score(FEATURES, LABELS, task="ranking")


def test_pandas_frames_are_features():
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(FEATURES, index=np.arange(40)[::-1])
    values = score(frame, pandas.Series(LABELS, index=frame.index), "logme,knn")
    assert values == pytest.approx(score(FEATURES, LABELS, "logme,knn"), rel=1e-12)


def test_tensors_are_features():
    torch = pytest.importorskip("torch")
    values = score(torch.tensor(FEATURES), torch.tensor(LABELS), "logme,knn")
    assert values == score(FEATURES, LABELS, "logme,knn")


def test_logits_serve_for_probabilities_and_for_energy():
    rng = np.random.default_rng(0)
    features, labels, logits = rng.normal(size=(60, 4)), np.arange(60) % 3, rng.normal(size=(60, 7))
    names = "nce,leep,pactran_dirichlet,pactran_gamma,energy"
    found = score(features, labels, names, source_logits=logits)
    probabilities = softmax(logits, axis=1)
    given = score(features, labels, names, source_probabilities=probabilities)
    for name in ("nce", "leep", "pactran_dirichlet", "pactran_gamma"):
        assert found[name] == pytest.approx(given[name], rel=1e-12)
    assert found["energy"] == energy(features, labels, source_logits=logits) != given["energy"]
