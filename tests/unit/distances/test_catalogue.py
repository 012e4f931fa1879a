"""Tests of `transferscore.distances.catalogue` and what it checks."""

from __future__ import annotations

import re
import sys

import numpy as np
import pytest

from tests.reference.distance_inputs import sample_pair
from transferscore import distances
from transferscore.distances import DISTANCES, basis_of, distance, fingerprint_of
from transferscore.errors import InputError, MissingExtraError, UnknownNameError

PAIR = sample_pair(30, 24, 5)
UNLABELLED = [info.name for info in DISTANCES.values() if not info.needs_labels]


def test_all_that_apply_by_default():
    assert list(distance(PAIR.source, PAIR.target)) == UNLABELLED
    assert list(distance(PAIR.source, PAIR.target, source_labels=PAIR.source_labels)) == UNLABELLED
    found = distance(
        PAIR.source,
        PAIR.target,
        source_labels=PAIR.source_labels,
        target_labels=PAIR.target_labels,
    )
    assert list(found) == list(DISTANCES)


def test_one_call_gives_what_the_functions_give():
    found = distance(
        PAIR.source,
        PAIR.target,
        source_labels=PAIR.source_labels,
        target_labels=PAIR.target_labels,
        seed=3,
    )
    for name, value in found.items():
        function = getattr(distances, "energy_distance" if name == "energy" else name)
        options = {}
        if DISTANCES[name].needs_labels:
            options = {"source_labels": PAIR.source_labels, "target_labels": PAIR.target_labels}
        if name in ("proxy_a", "sliced_wasserstein"):
            options["seed"] = 3
        assert function(PAIR.source, PAIR.target, **options) == value


def test_negative_estimates_show_as_zero_unless_asked_for():
    x = PAIR.source
    assert distance(x, x, "mmd, kid") == {"mmd": 0.0, "kid": 0.0}
    assert distances.mmd(x, x, clip=False) < 0.0
    assert distances.kid(x, x, clip=False) < 0.0
    assert distances.energy_distance(x, x, unbiased=True) < 0.0


def test_unknown_names():
    message = (
        "There is no distance named 'fid'; the distances are coral, emd, emd_prototypes, energy, "
        "frechet, kid, mahalanobis, mean_cosine, mean_distance, mmd, otdd, proxy_a, sinkhorn, "
        "sliced_wasserstein."
    )
    with pytest.raises(UnknownNameError, match=f"^{re.escape(message)}$"):
        distance(PAIR.source, PAIR.target, "frechet,fid")


@pytest.mark.parametrize("name", ["otdd", "emd_prototypes"])
@pytest.mark.parametrize("missing", ["source", "target"])
def test_missing_labels(name, missing):
    given = {f"{side}_labels": getattr(PAIR, f"{side}_labels") for side in ("source", "target")}
    del given[f"{missing}_labels"]
    message = (
        f"^The distance {name} needs class labels on both sides; `{missing}_labels` is missing.$"
    )
    with pytest.raises(InputError, match=message):
        distance(PAIR.source, PAIR.target, name, **given)


def test_widths_must_match():
    message = (
        "^`source_features` and `target_features` must come from the same encoder and have as many "
        "columns; got 5 and 4.$"
    )
    with pytest.raises(InputError, match=message):
        distance(PAIR.source, PAIR.target[:, :4])


@pytest.mark.parametrize("name", ["frechet", "coral", "mahalanobis", "mmd", "kid", "proxy_a"])
def test_two_rows_are_needed_for_a_spread(name):
    message = f"^The distance {name} needs at least two rows on each side; `target_features` has"
    with pytest.raises(InputError, match=message):
        distance(PAIR.source, PAIR.target[:1], name)


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        ([0, 1], "`target_labels` must have one entry per row of its features (24); got shape "),
        ([[0]] * 24, "`target_labels` must have one entry per row of its features (24); got shape"),
        ([0.0] * 23 + [np.nan], "`target_labels` must be finite; row 23 is nan."),
    ],
)
def test_labels_must_fit(labels, message):
    with pytest.raises(InputError, match=f"^{re.escape(message)}"):
        distance(PAIR.source, PAIR.target, "otdd", target_labels=labels)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda a, b: distances.mmd(a, b, sigma=0), "`sigma` must be positive bandwidths; got 0."),
        (lambda a, b: distances.sinkhorn(a, b, reg=-1), "`reg` must be positive; got -1."),
        (
            lambda a, b: distances.sinkhorn(a, b, max_iterations=0),
            "`max_iterations` must be at least 1; got 0.",
        ),
        (
            lambda a, b: distances.sinkhorn(a, b, objective="dual"),
            "`objective` must be 'entropic_objective' or 'transport_cost'; got 'dual'.",
        ),
        (
            lambda a, b: distances.sliced_wasserstein(a, b, p=0.5),
            "`p` must be at least 1 and finite; got 0.5.",
        ),
        (
            lambda a, b: distances.sliced_wasserstein(a, b, projections=np.eye(4)),
            "`projections` must have one row per feature (5); got 4.",
        ),
        (
            lambda a, b: distances.proxy_a(a, b, folds=[0, 1]),
            "`folds` must have one entry per row, source rows first (30 + 24); got shape (2,).",
        ),
        (
            lambda a, b: distances.proxy_a(a, b, folds=[0] * 30 + [0, 1] * 12),
            "`folds` must leave source rows outside every fold; one has all.",
        ),
        (
            lambda a, b: distances.frechet(a, b, ddof=2),
            "`ddof` must be 0 or 1; got 2.",
        ),
    ],
)
def test_options_are_checked(call, message):
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        call(PAIR.source, PAIR.target)


def test_without_pot_the_rest_is_there(monkeypatch):
    monkeypatch.setitem(sys.modules, "ot", None)
    monkeypatch.setitem(sys.modules, "ot.lp", None)
    monkeypatch.setattr("transferscore.distances.catalogue.find_spec", {}.get)
    found = distance(PAIR.source, PAIR.target)
    assert list(found) == [name for name in UNLABELLED if name != "emd"]
    message = (
        "The distance emd needs the package 'ot', which is not installed. "
        "Install it with: pip install 'transferscore[ot]'"
    )
    with pytest.raises(MissingExtraError, match=f"^{re.escape(message)}$"):
        distance(PAIR.source, PAIR.target, "emd")


def test_sinkhorn_says_when_it_does_not_converge():
    message = r"^The distance sinkhorn did not converge in 3 iterations: its plan misses \d.*weight"
    with pytest.warns(RuntimeWarning, match=message):
        distances.sinkhorn(PAIR.source, PAIR.target, reg=0.05, max_iterations=3)


def test_sinkhorn_with_little_blur_is_near_the_exact_cost():
    exact = distances.emd(PAIR.source, PAIR.target)
    blurred = distances.sinkhorn(PAIR.source, PAIR.target, reg=0.02, max_iterations=100_000)
    assert blurred == pytest.approx(exact, rel=0.01)


def test_emd_says_when_it_does_not_converge(monkeypatch):
    monkeypatch.setattr("transferscore.distances.transport._MAX_ITERATIONS", 1)
    with pytest.warns(RuntimeWarning, match=r"^The distance emd did not converge, its value is an"):
        distances.emd(PAIR.source, PAIR.target)


def test_mahalanobis_says_what_it_leaves_out():
    pair = sample_pair(5, 6, 30)
    message = r"^The samples vary in 9 of 30 directions only, and \d+\.\d% of the squared diff"
    with pytest.warns(RuntimeWarning, match=message):
        distances.mahalanobis(pair.source, pair.target)


def test_cosine_of_a_zero_mean():
    message = "^The mean of `source_features` is zero and has no direction: mean_cosine is 1, as "
    with pytest.warns(RuntimeWarning, match=message):
        assert distances.mean_cosine([[-1.0], [1.0]], [[2.0], [3.0]]) == 1.0


def test_says_what_each_rests_on():
    fingerprint = fingerprint_of(PAIR.source, PAIR.source_labels, coreset_size=10)
    assert basis_of(fingerprint, PAIR.target, "frechet,mmd,emd_prototypes") == {
        "frechet": "the source fingerprint's exact moments",
        "mmd": "10 of 30 rows in the source fingerprint's coreset",
        "emd_prototypes": "the source fingerprint's exact prototypes",
    }
    plain = basis_of(PAIR.source, PAIR.target, "frechet,mmd,otdd")
    assert plain == {
        "frechet": "all rows",
        "mmd": "all rows, a seeded sample of either side above 5,000",
        "otdd": "all rows, a seeded sample of either side above 2,000",
    }
