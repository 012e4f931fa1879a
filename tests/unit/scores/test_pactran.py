"""Tests of the three PACTran bounds."""

from __future__ import annotations

import re

import numpy as np
import pytest

from tests.reference import pactran as slow
from tests.reference.inputs import CLASS_INPUTS, class_input
from transferscore.errors import InputError
from transferscore.scores import pactran_gaussian as gaussian_module
from transferscore.scores.pactran_dirichlet import pactran_dirichlet
from transferscore.scores.pactran_gamma import pactran_gamma
from transferscore.scores.pactran_gaussian import pactran_gaussian
from transferscore.statistics.rows import row_blocks

RNG = np.random.default_rng(0)
BOTH = pytest.mark.parametrize(
    ("fast", "reference"),
    [(pactran_dirichlet, slow.pactran_dirichlet), (pactran_gamma, slow.pactran_gamma)],
)
# On its own coordinates the reference does not reach the optimum in twenty thousand steps.
SOLVED = [example for example in CLASS_INPUTS if example.name != "a scale of 1e6"]


@BOTH
@pytest.mark.parametrize("alpha", [0.5, 1.0, 20.0])
@pytest.mark.parametrize(
    ("n", "n_source", "n_classes"), [(40, 6, 3), (10, 50, 4), (40, 1, 2), (6, 3, 6)]
)
def test_agree_with_the_rounds_of_the_paper(fast, reference, alpha, n, n_source, n_classes):
    source, labels = RNG.dirichlet(np.ones(n_source), n), np.arange(n) % n_classes
    expected = -reference(source, np.eye(n_classes)[labels], alpha)
    assert fast(source, labels, alpha=alpha) == pytest.approx(expected, rel=1e-8)


@BOTH
def test_a_source_class_without_mass_costs_nothing_but_its_prior(fast, reference):
    source, labels = RNG.dirichlet(np.ones(4), 20), np.arange(20) % 2
    padded = np.hstack([source, np.full((20, 1), 1e-300)])
    assert fast(np.hstack([source, np.zeros((20, 1))]), labels) == pytest.approx(
        -reference(padded, np.eye(2)[labels]), rel=1e-8
    )


@BOTH
def test_blocks_change_nothing(fast, reference, monkeypatch):
    source, labels = RNG.dirichlet(np.ones(6), 40), np.arange(40) % 3
    whole = fast(source, labels)
    monkeypatch.setattr(row_blocks, "__defaults__", (8 * 6 * 7,))
    assert fast(source, labels) == pytest.approx(whole, rel=1e-12)


@BOTH
def test_certain_probabilities_have_a_value(fast, reference):
    labels = np.arange(3000) % 3
    source = np.zeros((3000, 500))
    source[np.arange(3000), labels * 7] = 1.0
    right = fast(source, labels)
    assert np.isfinite(right)
    assert right > fast(source, RNG.permutation(labels))


@BOTH
@pytest.mark.parametrize(
    ("keywords", "message"),
    [
        ({"alpha": 0.0}, "`alpha` must be positive; got 0.0."),
        ({"n_rounds": 0}, "`n_rounds` must be at least 1; got 0."),
    ],
)
def test_parameters_without_meaning_are_refused(fast, reference, keywords, message):
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        fast(np.ones((4, 2)), [0, 1, 0, 1], **keywords)


@pytest.mark.parametrize(("lam", "s_over_lam"), [(1.0, 10.0), (0.1, 100.0), (10.0, 10.0)])
@pytest.mark.parametrize("example", SOLVED, ids=lambda example: example.name)
def test_gaussian_agrees_with_a_general_minimiser(example, lam, s_over_lam):
    value = pactran_gaussian(example.features, example.labels, lam=lam, s_over_lam=s_over_lam)
    expected = -slow.pactran_gaussian(example.features, example.columns, lam, s_over_lam)
    assert value == pytest.approx(expected, rel=1e-6)


def test_gaussian_in_single_precision_first_agrees(monkeypatch):
    features, labels = class_input(40, 6)
    exact = pactran_gaussian(features, labels)
    monkeypatch.setattr(gaussian_module, "_SMALL", 0)
    assert pactran_gaussian(features, labels) == pytest.approx(exact, rel=1e-5)


def test_gaussian_says_where_it_stops_short(monkeypatch):
    monkeypatch.setattr("transferscore.statistics.logistic._MAX_STEPS", 2)
    message = (
        "PACTran stopped before the optimum of its classifier: the classes separate, and the prior "
        "is so wide that nothing holds the weights. Pass a smaller lam."
    )
    with pytest.warns(RuntimeWarning, match=f"^{re.escape(message)}$"):
        pactran_gaussian(*class_input(40, 6), lam=1e4)


@pytest.mark.parametrize("name", ["lam", "s_over_lam"])
def test_gaussian_refuses_parameters_without_meaning(name):
    message = f"`{name}` must be positive; got -1.0."
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        pactran_gaussian(*class_input(40, 6), **{name: -1.0})


def test_gaussian_noise_with_many_samples_stands_below_the_entropy_by_the_flatness():
    features, labels = RNG.normal(size=(4000, 4)), np.arange(4000) % 2
    # p = 1/2 everywhere: the trace is (n / 2) (1 + |f|^2), of mean 5.
    flatness = 2 * 10 / 8000 * np.log1p(4000 * 4000 / 2 * 5 / 8)
    assert pactran_gaussian(features, labels) == pytest.approx(-np.log(2) - flatness, abs=2e-3)
