"""What every registered score keeps to. A new score gets these tests by being registered.

What differs from score to score is claimed in `score_claims.py`.
"""

from __future__ import annotations

import re
import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import transferscore
from tests.contracts.score_claims import CLAIMS, WARNINGS
from transferscore.errors import InputError
from transferscore.scores.registry import SCORES
from transferscore.statistics import Statistics

EVERY_SCORE = pytest.mark.parametrize("name", SCORES)
REPEATABLE = settings(deadline=None, derandomize=True, max_examples=25)


@dataclass(frozen=True)
class Sample:
    """Features `(n, d)`, labels `(n,)` or `(n, m)`, and source probabilities `(n, C)`."""

    features: Any
    labels: Any
    source: Any

    def rows(self, rows: Any) -> Sample:
        return Sample(self.features[rows], self.labels[rows], self.source[rows])


def draw(n: int, d: int, n_classes: int, seed: int, signal: float = 1.0) -> Sample:
    """Classes of equal size that `signal` sets apart, in features and in source probabilities."""
    rng = np.random.default_rng(seed)
    labels = rng.permutation(np.arange(n) % n_classes)
    features = rng.normal(size=(n, d)) + signal * rng.normal(size=(n_classes, d))[labels]
    likely = rng.normal(size=(n, 5)) + signal * rng.normal(size=(n_classes, 5))[labels]
    return Sample(features + 0.3, labels, np.exp(likely) / np.exp(likely).sum(1, keepdims=True))


samples = st.builds(
    draw,
    n=st.integers(8, 30),
    d=st.integers(1, 40),
    n_classes=st.integers(2, 4),
    seed=st.integers(0, 2**16),
)
INFORMATIVE = draw(60, 5, 3, seed=0)


def value(name: str, sample: Sample, task: str = "classification") -> float:
    """The score, without what some say of few samples."""
    with warnings.catch_warnings():
        for message in WARNINGS:
            warnings.filterwarnings("ignore", message, RuntimeWarning)
        statistics = Statistics(
            sample.features, sample.labels, task=task, source_probabilities=sample.source
        )
        return SCORES[name].compute(statistics)


def same(expected: float) -> Any:
    return pytest.approx(expected, rel=1e-7, abs=1e-9)


def numbers_of(task: str, n: int = 40) -> Sample:
    sample = draw(n, 6, 3, seed=1)
    rng = np.random.default_rng(2)
    outputs = sample.features[:, :3] + rng.normal(size=(n, 3))
    labels = (outputs > 0.3).astype(float) if task == "multilabel" else outputs
    return Sample(sample.features, labels, sample.source)


def claimed_by(claim: str) -> Any:
    return pytest.mark.parametrize("name", [n for n in SCORES if getattr(CLAIMS.get(n), claim, 0)])


BY_NUMBERS = pytest.mark.parametrize(
    ("name", "task"),
    [(n, t) for n, info in SCORES.items() for t in info.tasks if t != "classification"],
)


def test_every_score_says_what_it_claims():
    assert set(CLAIMS) == set(SCORES)


@EVERY_SCORE
@REPEATABLE
@given(sample=samples)
def test_the_value_is_a_finite_python_float_and_the_same_each_time(name, sample):
    first = value(name, sample)
    assert type(first) is float
    assert np.isfinite(first)
    assert value(name, sample) == first


@claimed_by("order")
@REPEATABLE
@given(sample=samples, seed=st.integers(0, 99))
def test_the_order_of_samples_changes_nothing(name, sample, seed):
    order = np.random.default_rng(seed).permutation(len(sample.labels))
    assert value(name, sample.rows(order)) == same(value(name, sample))


@EVERY_SCORE
@REPEATABLE
@given(sample=samples, seed=st.integers(0, 99))
def test_the_names_of_classes_change_nothing(name, sample, seed):
    names = np.array([f"class {i}" for i in range(4)])
    if CLAIMS[name].renaming:
        names = np.random.default_rng(seed).permutation(names)
    renamed = Sample(sample.features, names[sample.labels], sample.source)
    assert value(name, renamed) == same(value(name, sample))


@EVERY_SCORE
@REPEATABLE
@given(sample=samples, seed=st.integers(0, 99))
def test_the_order_of_source_classes_changes_nothing(name, sample, seed):
    order = np.random.default_rng(seed).permutation(5)
    reordered = Sample(sample.features, sample.labels, sample.source[:, order])
    assert value(name, reordered) == same(value(name, sample))


@claimed_by("rotation")
@REPEATABLE
@given(sample=samples, seed=st.integers(0, 99))
def test_rotation_where_claimed(name, sample, seed):
    d = sample.features.shape[1]
    rotation = np.linalg.qr(np.random.default_rng(seed).normal(size=(d, d)))[0]
    rotated = Sample(sample.features @ rotation, sample.labels, sample.source)
    assert value(name, rotated) == same(value(name, sample))


@claimed_by("scale")
@REPEATABLE
@given(sample=samples, exponent=st.sampled_from([-60, -6, -1, 1, 6, 60]))
def test_scale_where_claimed(name, sample, exponent):
    scaled = Sample(sample.features * 10.0**exponent, sample.labels, sample.source)
    assert value(name, scaled) == same(value(name, sample))


@claimed_by("shift")
@REPEATABLE
@given(sample=samples, offset=st.sampled_from([-1.0, 10.0, 1e6]))
def test_shift_where_claimed(name, sample, offset):
    shifted = Sample(sample.features + offset, sample.labels, sample.source)
    assert value(name, shifted) == pytest.approx(value(name, sample), rel=1e-6, abs=1e-7)


@EVERY_SCORE
def test_three_copies_of_every_row(name):
    once, thrice = INFORMATIVE, INFORMATIVE.rows(np.tile(np.arange(60), 3))
    if CLAIMS[name].repeated == "same":
        assert value(name, thrice) == same(value(name, once))
    elif CLAIMS[name].repeated == "rises":
        assert value(name, thrice) > value(name, once)
    else:
        assert np.isfinite(value(name, thrice))


@claimed_by("labels")
@pytest.mark.parametrize("shape", [(60, 5), (60, 90), (60, 1)])
@pytest.mark.parametrize("constant", [0.0, 0.1, -1e8 - 0.1])
def test_constant_features_are_worth_less_than_good_ones(name, shape, constant):
    labels = np.arange(60) % 3
    flat = Sample(np.full(shape, constant), labels, np.full((60, 5), 0.2))
    found = value(name, flat)
    if CLAIMS[name].widths or shape == INFORMATIVE.features.shape:
        assert found < value(name, INFORMATIVE)
    if CLAIMS[name].constant and constant == 0.0:
        assert found == same(CLAIMS[name].constant(3))


@claimed_by("labels")
def test_a_constant_feature_beside_good_ones_does_no_harm(name):
    padded = np.hstack([INFORMATIVE.features, np.full((60, 1), 0.1)])
    sample = Sample(padded, INFORMATIVE.labels, INFORMATIVE.source)
    assert value(name, sample) == pytest.approx(value(name, INFORMATIVE), rel=0.25)


@claimed_by("labels")
def test_higher_is_better(name):
    order = np.random.default_rng(0).permutation(60)
    shuffled = Sample(INFORMATIVE.features, INFORMATIVE.labels[order], INFORMATIVE.source)
    assert value(name, shuffled) < value(name, INFORMATIVE)


@pytest.mark.parametrize("ratio", [0.2, 1.0, 5.0, 20.0])
@claimed_by("noise")
def test_noise_stands_where_it_is_said_to(name, ratio):
    n, n_classes = 60, 4
    d = round(n / ratio)
    values = [value(name, draw(n, d, n_classes, seed, signal=0.0)) for seed in range(25)]
    low, high = CLAIMS[name].noise(n, d, n_classes)
    assert low - 1e-9 <= np.mean(values) <= high + 1e-9


@EVERY_SCORE
@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_values_that_are_not_finite_are_refused(name, bad):
    needs_source = SCORES[name].needs_source
    broken = (INFORMATIVE.source if needs_source else INFORMATIVE.features).copy()
    broken[[7, 9], 1] = bad
    argument = "source_probabilities" if needs_source else "features"
    message = (
        f"`{argument}` must be finite; 2 of 60 rows have NaN or infinite entries, "
        "the first is row 7."
    )
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        getattr(transferscore, name)(broken, INFORMATIVE.labels)


@EVERY_SCORE
@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (
            np.arange(998) % 2,
            "`labels` must have one entry per row of `features` (1000); got 998.",
        ),
        (np.zeros(1000), "`labels` must show at least two classes; all 1000 are 0.0."),
        (np.zeros((1000, 3)), "`labels` must have shape (n,); got (1000, 3)."),
        (
            np.where(np.arange(1000) == 3, np.nan, 1.0),
            "`labels` must be finite; 1 of 1000 rows are not, the first is row 3.",
        ),
    ],
)
def test_labels_that_do_not_fit_are_refused(name, labels, message):
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        getattr(transferscore, name)(np.ones((1000, 2)), labels)


@EVERY_SCORE
@pytest.mark.parametrize("shape", [(60,), (60, 2, 2), (0, 3), (60, 0)])
def test_features_of_a_wrong_shape_are_refused(name, shape):
    argument = "source_probabilities" if SCORES[name].needs_source else "features"
    asked = "must not be empty; got shape" if 0 in shape else "must have shape"
    with pytest.raises(InputError, match=rf"^`{argument}` {asked} .*{re.escape(str(shape))}"):
        getattr(transferscore, name)(np.ones(shape), np.arange(60) % 2)


@EVERY_SCORE
def test_the_public_function_gives_the_value_of_the_registry(name):
    first = INFORMATIVE.source if SCORES[name].needs_source else INFORMATIVE.features
    assert getattr(transferscore, name)(first, INFORMATIVE.labels) == value(name, INFORMATIVE)
    every = transferscore.score(
        INFORMATIVE.features, INFORMATIVE.labels, source_probabilities=INFORMATIVE.source
    )
    assert every[name] == value(name, INFORMATIVE)


@EVERY_SCORE
@pytest.mark.parametrize("shape", [(30, 6), (20, 50)])
def test_float32_and_float64_of_the_same_numbers_agree(name, shape):
    sample = draw(*shape, 3, seed=3)
    single = Sample(
        sample.features.astype(np.float32), sample.labels, sample.source.astype(np.float32)
    )
    double = Sample(
        single.features.astype(np.float64), sample.labels, single.source.astype(np.float64)
    )
    assert value(name, single) == pytest.approx(value(name, double), rel=1e-12, abs=1e-14)


@EVERY_SCORE
def test_half_precision_is_near(name):
    sample = draw(60, 5, 3, seed=4)
    half = Sample(sample.features.astype(np.float16), sample.labels, sample.source)
    assert value(name, half) == pytest.approx(value(name, sample), rel=0.01)


@EVERY_SCORE
@pytest.mark.parametrize("layout", ["Fortran", "strided", "read-only", "mapped"])
@pytest.mark.parametrize("shape", [(30, 6), (20, 50)])
def test_any_memory_layout_gives_the_same_and_is_left_as_it_was(name, layout, shape, tmp_path):
    sample = draw(*shape, 3, seed=5)

    def laid_out(array: Any, file: str) -> Any:
        if layout == "Fortran":
            return np.asfortranarray(array)
        if layout == "strided":
            return np.repeat(np.repeat(array, 2, axis=0), 3, axis=1)[::2, ::3]
        if layout == "read-only":
            array = array.copy()
            array.flags.writeable = False
            return array
        np.save(tmp_path / file, array)
        return np.load(tmp_path / file, mmap_mode="r")

    given = Sample(
        laid_out(sample.features, "features.npy"),
        sample.labels,
        laid_out(sample.source, "source.npy"),
    )
    assert value(name, given) == same(value(name, sample))
    assert (np.asarray(given.features) == sample.features).all()
    assert (np.asarray(given.source) == sample.source).all()


@EVERY_SCORE
def test_labels_of_any_type_give_the_same(name):
    expected = value(name, INFORMATIVE)
    for labels in (
        INFORMATIVE.labels.astype(np.uint8),
        INFORMATIVE.labels.astype(float),
        INFORMATIVE.labels.tolist(),
        [f"class {label}" for label in INFORMATIVE.labels],
        np.array([f"class {label}" for label in INFORMATIVE.labels], dtype=object),
        INFORMATIVE.labels * 7 - 3,
    ):
        assert value(name, Sample(INFORMATIVE.features, labels, INFORMATIVE.source)) == expected
    two = INFORMATIVE.labels == 1
    whole = Sample(INFORMATIVE.features, two.astype(int), INFORMATIVE.source)
    for labels in (two, two.tolist(), np.where(two, "yes", "no")):
        sample = Sample(INFORMATIVE.features, labels, INFORMATIVE.source)
        assert value(name, sample) == value(name, whole)


@EVERY_SCORE
@pytest.mark.parametrize(
    "sample",
    [
        draw(4, 1, 2, seed=6),
        draw(2, 1, 2, seed=6),
        draw(2, 30, 2, seed=6),
        draw(12, 3, 12, seed=6),
        draw(12, 40, 12, seed=6),
        draw(40, 2, 40, seed=6),
    ],
    ids=["4 x 1", "2 x 1", "2 x 30", "own classes", "own classes, wide", "own classes, tall"],
)
def test_the_smallest_samples_have_a_value(name, sample):
    assert np.isfinite(value(name, sample))


@BY_NUMBERS
def test_numbers_are_scored_in_any_order_of_rows_and_outputs(name, task):
    sample = numbers_of(task)
    expected = value(name, sample, task)
    assert type(expected) is float
    order = np.random.default_rng(0).permutation(40)
    assert value(name, sample.rows(order), task) == same(expected)
    turned = Sample(sample.features, sample.labels[:, [2, 0, 1]], sample.source)
    assert value(name, turned, task) == same(expected)


@BY_NUMBERS
def test_features_that_explain_numbers_are_worth_more(name, task):
    if not CLAIMS[name].labels:
        pytest.skip("reads no labels")
    sample = numbers_of(task)
    order = np.random.default_rng(0).permutation(40)
    shuffled = Sample(sample.features, sample.labels[order], sample.source)
    assert value(name, shuffled, task) < value(name, sample, task)


@BY_NUMBERS
def test_a_constant_output_is_left_out(name, task):
    sample = numbers_of(task)
    padded = np.hstack([sample.labels, np.zeros((40, 1)), np.ones((40, 1))])
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "LogME leaves out 2 target columns", RuntimeWarning)
        found = value(name, Sample(sample.features, padded, sample.source), task)
    assert found == same(value(name, sample, task))


@BY_NUMBERS
def test_outputs_that_do_not_vary_are_refused(name, task):
    sample = numbers_of(task)
    flat = Sample(sample.features, np.ones((40, 2)), sample.source)
    message = "`labels` must vary; all 40 are [1.0, 1.0]."
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        value(name, flat, task)
